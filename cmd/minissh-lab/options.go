package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/folder"
	"minissh/cmd/minissh-lab/speak"
)

// dialectFlags are the flags that serve and connect share.
func dialectFlags() []cli.Flag {
	return []cli.Flag{
		langFlag(),
		&cli.StringFlag{Name: "byte-order", Value: "little",
			Usage: "长度的字节序 / of lengths: `little|big` ('i' or '!i')"},
		&cli.StringFlag{Name: "encoding", Value: "utf-8",
			Usage: "命令和输出的编码 / of commands and output: `utf-8|gbk|gb18030`"},
		&cli.IntFlag{Name: "recv-size", Value: 1024, Usage: "recv(`N`)"},
		&cli.StringFlag{Name: "dir", Usage: "文件方言的目录，默认新建临时目录 / `FOLDER` for " +
			"files, by default a fresh temporary one"},
	}
}

// dialectNames is `echo|naive|…`.
func dialectNames() string {
	var names []string
	for _, d := range dialect.All {
		names = append(names, d.Name)
	}
	return strings.Join(names, "|")
}

// dialectTable is the help's list of dialects.
func dialectTable() string {
	var b strings.Builder
	for _, d := range dialect.All {
		fmt.Fprintf(&b, "%-9s %-6s %-5d %s\n%23s%s\n", d.Name, d.Chapters, d.Port, d.Zh, "", d.En)
	}
	return strings.TrimRight(b.String(), "\n")
}

// chosenDialect finds --dialect.
func chosenDialect(name string) (*dialect.Dialect, error) {
	if d := dialect.Find(name); d != nil {
		return d, nil
	}
	q := speak.Quote([]byte(name))
	return nil, usage("没有 "+q+" 这种方言："+dialectNames(), "no dialect "+q+": "+dialectNames(),
		"--dialect naive")
}

// dialectOptions turns the shared flags into options; --dir is folderFor's.
func dialectOptions(c *cli.Context) (o dialect.Options, err error) {
	switch order := c.String("byte-order"); order {
	case "little":
	case "big":
		o.BigEndian = true
	default:
		q := speak.Quote([]byte(order))
		return o, usage("--byte-order "+q+"：只有 little 和 big",
			"--byte-order "+q+": want little or big", "--byte-order big")
	}
	if o.Encoding, err = dialect.ParseEncoding(c.String("encoding")); err != nil {
		return o, usage(err.Error(), err.Error(), "--encoding gbk")
	}
	o.RecvSize = c.Int("recv-size")
	if o.RecvSize < 1 || o.RecvSize > dialect.MaxRecv {
		return o, usage(fmt.Sprintf("--recv-size 要在 1 到 %d 之间", dialect.MaxRecv),
			fmt.Sprintf("--recv-size wants 1 to %d", dialect.MaxRecv), "--recv-size 1024")
	}
	o.Pace = c.Duration("pace")
	return o, nil
}

// folderFor opens --dir, or a fresh folder with samples. The caller closes it.
func folderFor(c *cli.Context) (*folder.Folder, error) {
	dir := c.String("dir")
	if dir == "" {
		f, err := folder.Temp()
		if err != nil {
			return nil, failure("建不了临时目录："+err.Error(), "cannot make a temporary folder: "+
				err.Error(), "--dir .")
		}
		return f, nil
	}
	f, err := folder.Open(dir)
	switch q := speak.Quote([]byte(dir)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, failure("没有目录 "+q, "no folder "+q, "mkdir "+q)
	case err != nil:
		return nil,
			failure("打不开目录 "+q+"："+err.Error(), "cannot open folder "+q+": "+err.Error(),
				"--dir .")
	}
	return f, nil
}

// sayFolder tells where files are.
func sayFolder(p *speak.Printer, f *folder.Folder) {
	path := speak.Clean(f.Path())
	if f.Temporary() {
		p.Sayf("文件在 %s（结束时删除；想留下就用 --dir .）",
			"files in %s (removed at the end; --dir . keeps them)", path)
		return
	}
	p.Sayf("文件在 %s", "files in %s", path)
}

// stray refuses words that the verb does not take. Options after the address are
// the usual case, as the parser stops at the first word that is not an option.
func stray(args []string, form string) error {
	if len(args) == 0 {
		return nil
	}
	q := speak.Quote([]byte(args[0]))
	if strings.HasPrefix(args[0], "-") {
		return usage("选项 "+q+" 要写在地址前面", "option "+q+" goes before the address", form)
	}
	return usage("多了一个 "+q, "one word too many: "+q, form)
}
