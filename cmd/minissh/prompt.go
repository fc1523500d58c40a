package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"minissh/client/completion"
	"minissh/client/dial"
	"minissh/client/editor"
	"minissh/client/fanout"
	"minissh/client/nodeset"
	"minissh/client/options"
	"minissh/client/prompt"
	"minissh/client/report"
)

// runPrompt offers the line prompt; stop ends it at the first line that fails.
func runPrompt(d *dial.Dialer, stop bool) error {
	return ended(prompt.Run(context.Background(), d, stop))
}

// ended is the end of a prompt.
func ended(code int, err error) error {
	var signalled *editor.SignalError
	if err != nil && !errors.As(err, &signalled) {
		return err
	}
	return exitCode(code)
}

// promptOn is `minissh prompt on HOSTS`: the lines run on all of them.
func promptOn(words []string) error {
	const stop = "--stop"
	m, err := manyHosts("prompt on", append(slices.Clone(hostsFlags),
		completion.Flag{Name: stop}), words)
	if err != nil {
		return err
	}
	if len(m.Command) > 0 {
		return &report.Failure{What: "minissh prompt on takes hosts, not a command",
			Advice: "minissh on HOSTS COMMAND runs one"}
	}
	cfg, err := m.config()
	if err != nil {
		return err
	}
	cfg.Keep, cfg.Save, cfg.Again = true, nil, nil
	var mu sync.Mutex
	var hosts []prompt.Host
	cfg.Do = func(_ context.Context, v fanout.Visit) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		hosts = append(hosts, prompt.Host{Name: v.Host, Conn: v.Conn})
		return 0, nil
	}
	code := fanout.Run(*cfg)
	defer func() {
		for _, h := range hosts {
			h.Conn.Session.Close(nil)
		}
	}()
	if len(hosts) == 0 || code > 128 && code != report.ExitFailure { // or a signal
		return exitCode(code)
	}
	slices.SortFunc(hosts, func(a, b prompt.Host) int { return nodeset.Compare(a.Name, b.Name) })
	return ended(prompt.OverMany(context.Background(), hosts, expand, prompt.Config{
		HistoryFile: options.StateFile("history"), Stop: m.Has(stop)}))
}
