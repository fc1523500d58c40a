package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/pcap"
	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/web"
	"minissh/cmd/minissh-lab/web/taped"
)

// exportFlags are the files that a saved run is made into.
func exportFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "html", Usage: "和 --open：做成一个网页 `FILE`，没有实验室也能重放 " +
			"/ with --open: make a page that replays it without the lab"},
		&cli.StringFlag{Name: "pcap", Usage: "和 --open：做成抓包文件 `FILE`，用 Wireshark 看 / " +
			"with --open: make a capture for Wireshark"},
	}
}

// exportRun makes the files of --html and --pcap from saved runs; of several runs, a capture has
// the first alone.
func exportRun(c *cli.Context, p *speak.Printer, r recording, paths ...string) error {
	if c.String("pcap") != "" && len(paths) > 1 {
		return usage("--pcap 一次只能做一个记录", "--pcap takes one run",
			"minissh-lab record --open "+speak.Clean(paths[0])+" --pcap run.pcapng")
	}
	var page web.Replay
	var capture bytes.Buffer
	for _, path := range paths {
		h, events, err := openRun(path)
		if err != nil {
			return err
		}
		page.Runs = append(page.Runs, taped.New(h.Title, events, r.dialect, r.bigEndian))
		name := ""
		if r.dialect != nil {
			name = r.dialect.Name
		}
		streams := pcap.FromTape(events, pcap.Port(name))
		if err := pcap.Write(&capture, h.Began, streams...); err != nil {
			return err
		}
	}
	if name := c.String("html"); name != "" {
		page.Mode, page.Lang, page.Theme, page.View = "recorded", "zh", "light", "lanes"
		if p.Lang == speak.English {
			page.Lang = "en"
		}
		var text bytes.Buffer
		if err := page.Write(&text); err != nil {
			return err
		}
		if err := createExport(name, text.Bytes()); err != nil {
			return err
		}
		q := speak.Quote([]byte(name))
		p.Sayf("%s：用浏览器打开，不联网也能重放", "%s: open it in a browser; it replays without "+
			"a network", q)
	}
	if name := c.String("pcap"); name != "" {
		if err := createExport(name, capture.Bytes()); err != nil {
			return err
		}
		q := speak.Quote([]byte(name))
		p.Sayf("%s：用 Wireshark 打开。字节、先后和时间是真的；地址、端口、序号、握手和 ACK 是编的",
			"%s: Wireshark opens it. Bytes, their order and times are real; addresses, ports, "+
				"sequence numbers, handshakes and ACKs are made up", q)
	}
	return nil
}

// createExport writes a new file. One that exists is left alone; others cannot read it, since
// passwords may be in it.
func createExport(path string, data []byte) error {
	q := speak.Quote([]byte(path))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		ext := filepath.Ext(path)
		return failure("文件 "+q+" 已经存在", "file "+q+" exists already", "another name: "+
			speak.Quote([]byte(strings.TrimSuffix(path, ext)+"2"+ext)))
	}
	if err == nil {
		_, err = f.Write(data)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		text := speak.Clean(err.Error())
		return failure("没有写成 "+q+"："+text, q+" was not written: "+text,
			"minissh-lab record --help")
	}
	return nil
}
