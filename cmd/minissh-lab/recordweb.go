package main

import (
	"context"
	"errors"
	"syscall"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/web"
	"minissh/cmd/minissh-lab/web/taped"
)

// startWeb serves the page with a run until ctx ends, and says where. The page's own address may be
// taken by another lab: the link has whatever port there is. wait returns when it has ended.
func startWeb(ctx context.Context, p *speak.Printer, runs func() ([]taped.Run, bool)) (
	wait func() error, err error) {
	l, err := web.Listen(web.DefaultAddress)
	if errors.Is(err, syscall.EADDRINUSE) {
		l, err = web.Listen("127.0.0.1:0")
	}
	if err != nil {
		text := speak.Clean(err.Error())
		return nil, failure("不能监听："+text, "cannot listen: "+text, "minissh-lab web")
	}
	l.Recorded = runs
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(ctx) }()
	p.Say("四条道在这个链接（令牌只给你自己，Ctrl-C 结束）：",
		"the four lanes are at this link (its token is yours alone, Ctrl-C ends):")
	p.Raw("\n    " + inLanguage(l.URL("recorded=1"), p) + "\n\n")
	return func() error { return <-ended }, nil
}

// growing is the run that is being recorded, as the page asks for it.
func (r *recording) growing() ([]taped.Run, bool) {
	grows := !r.relay.Tape.Closed() // asked first: the last look has all there is
	events, _ := r.relay.Tape.From(0)
	return []taped.Run{taped.New(r.save, events, r.dialect, r.bigEndian)}, grows
}

// showInWeb shows saved runs in the page until Ctrl-C.
func showInWeb(c *cli.Context, p *speak.Printer, r recording, paths ...string) error {
	var runs []taped.Run
	for _, path := range paths {
		h, events, err := openRun(path)
		if err != nil {
			return err
		}
		runs = append(runs, taped.New(h.Title, events, r.dialect, r.bigEndian))
	}
	wait, err := startWeb(c.Context, p, func() ([]taped.Run, bool) { return runs, false })
	if err != nil {
		return err
	}
	return wait()
}
