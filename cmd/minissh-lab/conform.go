package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"
	"golang.org/x/term"

	"minissh/cmd/minissh-lab/conform"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/flags"
	"minissh/protocol/keys"
	"minissh/protocol/vectors"
)

const (
	conformDaemonForm = "minissh-lab conform --daemon python3 my_daemon.py {address}"
	conformClientForm = "minissh-lab conform --client python3 my_client.py {address} {command}"
)

func conformCommand() *cli.Command {
	return &cli.Command{
		Name: "conform",
		Usage: "毕业考：照 PROTOCOL.md 逐条考你写的守护进程或客户端  /  grade another minissh " +
			"daemon " +
			"or client, rule by rule",
		ArgsUsage: "--daemon PROGRAM ARGUMENTS… | --client PROGRAM ARGUMENTS… | --address ADDRESS",
		Description: "每条规则：成立、不成立（带字节）、没有试到（带原因）。{address} 会换成 " +
			"unix:PATH，\n" +
			"{command} 会换成一条命令；没写就加在最后。守护进程要会在 Unix " +
			"套接字上服务你自己的账户 (CA3)。\n" +
			"Each rule holds, fails (with the bytes), or was not reached (with the reason). " +
			"{address} becomes\nunix:PATH and {command} a command; without them they are put at " +
			"the end. A daemon has to serve\nyour own account on a Unix socket (CA3).\n\n  " +
			conformDaemonForm[len("minissh-lab "):] + "\n  " +
			conformClientForm[len("minissh-lab "):] +
			"\n  conform --address 127.0.0.1:7422 --identity KEYFILE --host-key SHA256:…" +
			"\n  conform --put 'minissh cp -r {local} {address}:{remote}' \\\n" +
			"    --get 'minissh cp -r {address}:{remote} {local}' --client minissh",
		Flags: flags.Once(
			langFlag(),
			&cli.BoolFlag{Name: "daemon",
				Usage: "考守护进程：启动后面的程序 / grade a daemon: the " +
					"program that follows is started"},
			&cli.BoolFlag{Name: "client",
				Usage: "考客户端：每次都启动后面的程序 / grade a client: " +
					"the program that follows, started for each probe"},
			&cli.StringFlag{Name: "address",
				Usage: "考已经在 `ADDRESS` 运行的守护进程：unix:PATH 或 " +
					"HOST:PORT / grade a daemon that runs there"},
			&cli.StringFlag{Name: "identity",
				Usage: "HOST:PORT：登录用的私钥 `FILE` / the private key " +
					"to log in with"},
			&cli.StringFlag{Name: "host-key", Usage: "HOST:PORT：守护进程的指纹 `SHA256:…` / the " +
				"fingerprint of its host key"},
			&cli.StringFlag{Name: "authority",
				Usage: "HOST:PORT：它信任的证书颁发者的私钥 `FILE` (CE) / " +
					"the private key of an authority that it trusts (CE)"},
			&cli.StringFlag{Name: "put",
				Usage: "让客户端把文件或文件夹传过去的命令 `'WORDS'` / " +
					"the client's command line for a copy there"},
			&cli.StringFlag{Name: "get",
				Usage: "让客户端取回来的命令 `'WORDS'` / " +
					"the client's command line for a copy from there"},
			&cli.StringFlag{Name: "user",
				Usage: "登录的账户，默认是自己的 / the account to log in to"},
			&cli.StringFlag{Name: "only",
				Usage: "只考一条 `RULE`（CH5）、一组（CH）或者一项 / only a " +
					"rule, a group of rules, or a probe"},
			&cli.BoolFlag{Name: "quick",
				Usage: "不试要等很久的（最长 40 秒） / leave out the probes " +
					"that wait for time-outs (up to 40 s)"},
			&cli.DurationFlag{Name: "patience", Value: conform.DefaultPatience,
				Usage: "该马上来的，最多等这么久 / longest wait for what must come at once, `5s`"},
			&cli.BoolFlag{Name: "json", Usage: "结果写成 JSON / the results as JSON"},
			&cli.StringFlag{Name: "vectors",
				Usage: "只把测试向量写到 `DIR` / only write the test " +
					"vectors there"},
		),
		OnUsageError: usageError,
		Action:       runConform,
	}
}

func runConform(c *cli.Context) error {
	p, err := printer(c)
	if err != nil {
		return err
	}
	if c.IsSet("vectors") {
		return writeVectors(p, c.String("vectors"))
	}
	o, err := conformOptions(c)
	if err != nil {
		return err
	}
	progress := &progressLine{}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		progress.w = c.App.ErrWriter
	}
	o.Tell = progress.tell
	grade := conform.Daemon
	if c.Bool("client") {
		grade = conform.Client
	}
	r, err := grade(c.Context, *o)
	progress.clear()
	if err != nil && c.Context.Err() != nil {
		return c.Context.Err()
	}
	if err != nil {
		text := speak.Clean(err.Error())
		return failure("没法开始："+text, "it could not begin: "+text, conformDaemonForm)
	}
	if len(r.Results) == 0 && conform.IsRule(o.Only) {
		why := conform.Unseen(r.Role, o.Only)
		return failure("这里不试 "+o.Only+"："+why.Zh, o.Only+" is not tried here: "+why.En,
			"minissh-lab conform --help")
	}
	if len(r.Results) == 0 {
		q := speak.Quote([]byte(o.Only))
		return usage("没有 "+q+" 这一条，也没有这一项", "there is no rule or probe "+q,
			"minissh-lab conform --help")
	}
	if c.Bool("json") {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		p.Raw(string(text) + "\n")
	} else {
		printReport(p, r, o.Only == "")
	}
	for _, rule := range r.Rules() {
		if rule.Outcome == conform.Fails {
			again := "minissh-lab conform --only " + rule.Rule + " …"
			return failure("有规则不成立", "not every rule holds", again)
		}
	}
	return nil
}

// conformOptions reads the command line.
func conformOptions(c *cli.Context) (*conform.Options, error) {
	program := c.Args().Slice()
	given := 0
	for _, name := range []string{"daemon", "client", "address"} {
		if c.IsSet(name) {
			given++
		}
	}
	form := conformDaemonForm
	if c.Bool("client") {
		form = conformClientForm
	}
	switch {
	case given != 1:
		return nil, usage("要 --daemon、--client、--address 里的一个",
			"one of --daemon, --client and --address is needed", form)
	case c.IsSet("address") && len(program) > 0:
		return nil, usage("--address 后面不要程序", "no program goes with --address",
			"minissh-lab conform --address unix:PATH")
	case !c.IsSet("address") && len(program) == 0:
		return nil, usage("还缺程序", "the program is missing", form)
	case (c.IsSet("put") || c.IsSet("get")) && !c.Bool("client"):
		return nil, usage("--put、--get 要和 --client 一起用",
			"--put and --get go with --client", form)
	case c.Duration("patience") <= 0:
		return nil, usage("--patience 要大于 0", "--patience must be above 0", "--patience 5s")
	}
	o := &conform.Options{Program: program, Address: c.String("address"), User: c.String("user"),
		Patience: c.Duration("patience"), Slow: !c.Bool("quick"), Only: c.String("only"),
		Put: strings.Fields(c.String("put")), Get: strings.Fields(c.String("get"))}
	if o.User == "" {
		u, err := user.Current()
		if err != nil {
			return nil,
				usage("不知道你的账户："+err.Error(), "your account is not known: "+err.Error(),
					"--user NAME")
		}
		o.User = u.Username
	}
	secure := o.Address != "" && !strings.HasPrefix(o.Address, "unix:")
	if missing := c.String("identity") == "" || c.String("host-key") == ""; secure && missing {
		return nil, usage("HOST:PORT 还要 --identity 和 --host-key",
			"HOST:PORT also needs --identity and --host-key",
			"minissh-lab conform --address "+speak.Clean(o.Address)+
				" --identity ~/.ssh/id_ed25519 --host-key SHA256:…")
	}
	if !secure {
		return o, nil
	}
	id, err := keys.LoadFile(c.String("identity"), nil)
	if err != nil {
		text := speak.Clean(err.Error())
		return nil, failure(text, text, "ssh-keygen -t ed25519 -N '' -f KEYFILE")
	}
	own, err := keys.Certificate(id)
	if err != nil {
		return nil, err
	}
	o.Login = &conform.Login{Key: own, HostKey: c.String("host-key")}
	if c.IsSet("authority") {
		o.Login.Authority, err = authority(c.String("authority"))
	}
	return o, err
}

// authority is the key that signs certificates.
func authority(path string) (ssh.Signer, error) {
	id, err := keys.LoadFile(path, nil)
	if err == nil {
		var signer ssh.Signer
		if signer, err = ssh.NewSignerFromSigner(id.Private); err == nil {
			return signer, nil
		}
	}
	text := speak.Clean(err.Error())
	return nil, failure(text, text, "ssh-keygen -t ed25519 -N '' -f AUTHORITY")
}

// writeVectors hands out the test vectors.
func writeVectors(p *speak.Printer, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		text := speak.Clean(err.Error())
		return failure(text, text, "minissh-lab conform --vectors ./vectors")
	}
	names, err := fs.Glob(vectors.Files, "*.txt")
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := fs.ReadFile(vectors.Files, name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			text := speak.Clean(err.Error())
			return failure(text, text, "minissh-lab conform --vectors ./vectors")
		}
	}
	shown := speak.Quote([]byte(dir))
	p.Say(fmt.Sprintf("%d 个文件写到了 %s，每个文件开头说明格式", len(names), shown),
		fmt.Sprintf("%d files are in %s; each says at its top what its lines mean", len(names),
			shown))
	return nil
}
