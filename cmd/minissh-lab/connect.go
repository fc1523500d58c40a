package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/server"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/flags"
)

func connectCommand() *cli.Command {
	return &cli.Command{
		Name:      "connect",
		Usage:     "充当某种方言的客户端  /  be the client of a dialect",
		ArgsUsage: "[ADDRESS]",
		Description: "连上你的服务端。一问一答，每条命令一次 send；auto 从第一个回答里猜方言。\n" +
			"A client for your server. One question, one answer, each command one send;\n" +
			"auto guesses the dialect from the first answer.\n\n" + dialectTable(),
		Flags: flags.Once(append([]cli.Flag{
			&cli.StringFlag{Name: "dialect", Aliases: []string{"d"}, Value: "auto",
				Usage: "`NAME`: auto|" + dialectNames()},
			&cli.DurationFlag{Name: "timeout", Value: 5 * time.Second,
				Usage: "最多等这么久 / longest wait for an answer, `5s`"},
			&cli.DurationFlag{Name: "pace", Value: 200 * time.Millisecond,
				Usage: "put 的命令和报头之间等这么久 / between a put's command and its header, " +
					"`200ms`"},
			&cli.StringFlag{Name: "ack", Value: dialect.AckText,
				Usage: "ack 方言里发什么，none 表示不发 / what to send as ack, none for nothing"},
			&cli.BoolFlag{Name: "bytes", Aliases: []string{"b"},
				Usage: "显示每次 send 和 recv / show each send and recv"},
		}, dialectFlags()...)...),
		OnUsageError: usageError,
		Action:       connect,
	}
}

func connect(c *cli.Context) error {
	args := c.Args().Slice()
	if err := stray(args[min(1, len(args)):],
		"minissh-lab connect --dialect naive 127.0.0.1:8080"); err != nil {
		return err
	}
	lang, err := chosenLang(c)
	if err != nil {
		return usage(err.Error(), err.Error(), "--lang zh")
	}
	var d *dialect.Dialect // nil: auto
	port, datagram := 8080, false
	if name := c.String("dialect"); name != "auto" {
		if d, err = chosenDialect(name); err != nil {
			return err
		}
		port, datagram = d.Port, d.Datagram
	}
	o, err := dialectOptions(c)
	if err != nil {
		return err
	}
	o.Timeout, o.Ack = c.Duration("timeout"), c.String("ack")
	network, address, err := server.ParseAddress(c.Args().First(), port, datagram)
	if err != nil {
		return usage(speak.Clean(err.Error()), speak.Clean(err.Error()),
			"minissh-lab connect 127.0.0.1:"+strconv.Itoa(port))
	}
	dialer := net.Dialer{Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(c.Context, network, address)
	if err != nil {
		return dialProblem(err, d, network, address)
	}
	defer conn.Close()

	t := &talk{out: speak.New(c.App.Writer, lang), remarks: speak.New(c.App.ErrWriter, lang)}
	t.terminal = isTerminal(c.App.Reader)
	if d == nil || d.Kind == dialect.Files {
		f, err := folderFor(c)
		if err != nil {
			return err
		}
		defer f.Close()
		o.Folder = f
		if d != nil {
			sayFolder(t.remarks, f)
		}
	}
	log := newEventLog(t.remarks)
	o.Events = func(e dialect.Event) {
		if c.Bool("bytes") || e.Op == dialect.Note {
			log.print(0, "    ", e)
		}
	}
	t.client = dialect.NewClient(conn, d, o)
	t.hello(conn.RemoteAddr())
	err = t.loop(c.Context, c.App.Reader)
	log.end(0, "    ")
	return err
}

// talk is the client's loop: a line, an exchange, its answer.
type talk struct {
	client   *dialect.Client
	out      *speak.Printer // answers
	remarks  *speak.Printer // everything else
	terminal bool           // a person types: there is a prompt
	failed   bool           // an exchange failed
}

func (t *talk) hello(a net.Addr) {
	what, whatEn := "方言从第一个回答里猜", "the dialect is guessed from the first answer"
	if d := t.client.Dialect(); d != nil {
		what, whatEn = d.Name+"："+d.Zh, d.Name+": "+d.En
	}
	t.remarks.Say("已连接 "+addressText(a)+" · "+what, "connected · "+whatEn)
	if !t.terminal {
		return
	}
	try, tryEn := "试试 ls、big、pwd；quit 结束", "try ls, big, pwd; quit ends"
	if d := t.client.Dialect(); d != nil {
		switch d.Kind {
		case dialect.Echo:
			try, tryEn = "随便打一行；quit 结束", "type a line; quit ends"
		case dialect.Files:
			try, tryEn = "试试 get a.txt、put a.txt；quit 结束",
				"try get a.txt, put a.txt; quit ends"
		}
	}
	t.remarks.Say(try, tryEn)
}

// loop runs until the input or the connection ends. From a pipe, the error tells
// that some exchange failed.
func (t *talk) loop(ctx context.Context, in io.Reader) error {
	lines := readLines(ctx, in)
	for {
		if t.terminal {
			t.out.Raw(">>: ")
		}
		var line string
		var ok bool
		select {
		case line, ok = <-lines:
		case <-ctx.Done():
			t.out.Raw("\n")
			return nil
		}
		line = strings.TrimSpace(line)
		if !ok || line == "quit" || line == "exit" {
			if !ok && t.terminal {
				t.out.Raw("\n")
			}
			if t.failed && !t.terminal {
				return &problem{zh: "有命令没有得到回答", en: "not every command was answered"}
			}
			return nil
		}
		if line == "" {
			continue // as the course's clients do: send(b'') would send nothing
		}
		reply, err := t.client.Exchange(ctx, line)
		t.show(reply)
		if err != nil && ctx.Err() != nil {
			t.out.Raw("\n")
			return nil
		}
		if err != nil {
			t.failed = true
			zh, en, hintZh, hintEn := dialect.Explain(err)
			if !goesOn(err) {
				return &problem{zh: zh, en: en, hintZh: hintZh, hintEn: hintEn}
			}
			t.remarks.Say(zh, en)
			if hintZh != "" {
				t.remarks.Say(hintZh, hintEn)
			}
		}
	}
}

// goesOn reports errors after which the next line may be tried.
func goesOn(err error) bool {
	for _, mild := range []error{dialect.ErrSilent, dialect.ErrRefused, dialect.ErrLocal,
		dialect.ErrLong, dialect.ErrEmpty} {
		if errors.Is(err, mild) {
			return true
		}
	}
	return false
}

// show prints an answer, and what may be learnt from it.
func (t *talk) show(r *dialect.Reply) {
	if r == nil {
		return
	}
	o, d := t.client.Options(), t.client.Dialect()
	if len(r.Data) > 0 {
		text := o.Text(r.Data)
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		t.out.Raw(text)
	}
	switch {
	case r.Saved != "":
		t.remarks.Sayf("已保存 %s，%d 字节", "saved %s, %d bytes", speak.Quote([]byte(r.Saved)),
			r.Header.Size)
	case d != nil && d.Kind == dialect.Files && r.Header == nil && r.Data == nil:
		t.remarks.Sayf("已发送 %d 字节；put 没有回答", "sent %d bytes; a put has no answer", r.Sent)
	}
	if d == nil || len(r.Data) < o.RecvSize || o.RecvSize == 0 {
		return
	}
	switch {
	case d.Datagram:
		t.remarks.Sayf("recvfrom(%d) 收满了：数据报更长的话，剩下的已经没了",
			"recvfrom(%d) is full: if the datagram was longer, its rest is gone", o.RecvSize)
	case (d.Name == "naive" || d.Name == "echo") && len(r.Data) == o.RecvSize:
		t.remarks.Sayf("recv(%d) 收满了：剩下的会和下一个回答粘在一起（粘包）",
			"recv(%d) is full: the rest will come before the next answer", o.RecvSize)
	}
}

// readLines hands over the input line by line; the channel closes at its end. A
// terminal's read cannot be interrupted, so that the goroutine may outlive the
// loop: it ends with the process, or with the next line.
func readLines(ctx context.Context, in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		s := bufio.NewScanner(in) // lines up to 64 KiB; more ends the input
		for s.Scan() {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// dialProblem says why a server cannot be reached.
func dialProblem(err error, d *dialect.Dialect, network, address string) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	name := "naive"
	if d != nil {
		name = d.Name
	}
	at := address
	if network == "unix" {
		at = "unix:" + address
	}
	zh, en, _, _ := dialect.Explain(err)
	return failure(fmt.Sprintf("连不上 %s：%s", speak.Clean(at), zh),
		fmt.Sprintf("cannot connect to %s: %s", speak.Clean(at), en),
		fmt.Sprintf("minissh-lab serve --dialect %s --listen %s", name, speak.Clean(at)))
}
