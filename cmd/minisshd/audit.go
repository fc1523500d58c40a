package main

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"minissh/daemon/audit"
	"minissh/daemon/logbook"
	"minissh/protocol"
)

// What an audit log may be told: a size that holds entries of more than one user, and names of
// files that somebody looks through.
const (
	leastAudit    = 1 << 20
	mostAuditKept = 1000
)

// readAudit is what the options say of the audit log; Path "": there is none.
func readAudit(c *cli.Context) (o audit.Options, err error) {
	if o.Path = c.String("audit"); o.Path == "" {
		for _, name := range []string{"audit-full", "audit-size", "audit-keep"} {
			if c.IsSet(name) {
				return o, fmt.Errorf("--%s is about a file that --audit names, and it names none",
					name)
			}
		}
		return o, nil
	}
	if o.Path, err = filepath.Abs(o.Path); err != nil {
		return o, err
	}
	switch o.Full = c.String("audit-full"); o.Full {
	case audit.Refuse, audit.Drop:
	default:
		return o, fmt.Errorf("--audit-full is refuse or drop, not %s", protocol.Quote(o.Full))
	}
	if o.Size, err = parseSize(c.String("audit-size")); err != nil || o.Size < leastAudit {
		return o, fmt.Errorf("--audit-size is a size of at least 1M, like 64M or 1G, not %s",
			protocol.Quote(c.String("audit-size")))
	}
	if o.Keep = c.Int("audit-keep"); o.Keep < 0 || o.Keep > mostAuditKept {
		return o, fmt.Errorf("--audit-keep is a number from 0 to %d, not %d", mostAuditKept, o.Keep)
	}
	return o, nil
}

// openAudit opens the audit log, nil if there is none. A daemon that should have one and cannot
// does not start.
func (s *settings) openAudit(log *slog.Logger) (*audit.Log, error) {
	if s.audit.Path == "" {
		return nil, nil
	}
	options := s.audit
	options.Log = slog.New(logbook.Clip(log.Handler()))
	opened, err := audit.Open(options)
	if err != nil {
		return nil, fmt.Errorf("--audit: %w", err)
	}
	return opened, nil
}

// audit says where the audit log is.
func (k *check) audit(set *settings) {
	if o := set.audit; o.Path != "" {
		k.say("audit log %s, of at most %d MiB, and %d older ones (--audit); when it is full: %s",
			shown(o.Path), o.Size>>20, o.Keep, o.Full)
		if err := audit.Check(o.Path); err != nil {
			k.refused("  ", err)
			k.wrong = append(k.wrong, "the file of --audit cannot be opened, and so the daemon "+
				"does not start")
		}
	}
}
