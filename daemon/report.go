package daemon

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
)

// Reporter is an Access that can say who could log in, and who could not, and why.
type Reporter interface {
	Report(context.Context) ([]AccountReport, error)
}

// AccountReport tells of one account that has files, or that was named.
type AccountReport struct {
	Name    string
	UID     uint32
	Refused error // why it may not log in whatever its keys, nil if it may; perhaps with a Hint
	Meant   bool  // the administrator answers for its files: it is the daemon's own account, or is named in --allow-users
	Files   []FileReport
	Usable  int // lines that could let somebody in now, if Refused is nil
}

// FileReport tells of one file.
type FileReport struct {
	Path     string
	Err      error // why it does not count; perhaps with a Hint
	File     *authorized.File
	Problems []authorized.Problem
	Denied   map[int]string // by line: why the policy does not let the key in
}

// Report looks at the daemon's own account.
func (a *fileAccess) Report(context.Context) ([]AccountReport, error) {
	report := AccountReport{Name: a.account.Name, UID: a.account.UID, Meant: true}
	for _, name := range a.files {
		file, problems, err := authorized.Load(name, authorized.Owner{UID: a.account.UID, Home: a.account.Home})
		report.add(FileReport{Path: name, Err: err, File: file, Problems: problems})
	}
	return []AccountReport{report}, nil
}

// Report looks at all accounts that the system tells of, and at those that --allow-users names. Accounts without any file are left out, unless they were named.
func (a *Accounts) Report(ctx context.Context) ([]AccountReport, error) {
	all, err := process.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	named := a.policy.named()
	names := slices.Clone(named)
	for _, acct := range all {
		if !slices.Contains(names, acct.Name) {
			names = append(names, acct.Name)
		}
	}
	var reports []AccountReport
	for _, name := range names {
		report := AccountReport{Name: name, Meant: name == a.own.Name || slices.Contains(named, name)}
		acct, err := process.LookupAccount(ctx, name)
		if err == nil {
			report.UID = acct.UID
			report.Refused = a.judgement(ctx, acct)
			err = a.each(ctx, acct, func(path string, file *authorized.File, problems []authorized.Problem, err error) {
				one := FileReport{Path: path, Err: err, File: file, Problems: problems, Denied: map[int]string{}}
				if err == nil {
					for _, entry := range file.Entries {
						if why := a.policy.refusesKey(acct, entry); why != "" {
							one.Denied[entry.Line] = why
						}
					}
				}
				report.add(one)
			})
		}
		if err != nil {
			report.Refused = err
		}
		if len(report.Files) > 0 || slices.Contains(named, name) {
			reports = append(reports, report)
		}
	}
	return reports, nil
}

// add adds a file, unless it is not there or, being below a home that nobody may enter, as good as not there.
func (r *AccountReport) add(file FileReport) {
	if errors.Is(file.Err, fs.ErrNotExist) {
		return
	}
	r.Files = append(r.Files, file)
	if file.Err != nil {
		return
	}
	now := time.Now()
	for _, entry := range file.File.Entries {
		if entry.Usable(now) && file.Denied[entry.Line] == "" {
			r.Usable++
		}
	}
}

// Resolve says what an address of --listen stands for, without listening there, and whether others than this machine could reach it.
func Resolve(text string) (list []string, beyond bool, err error) {
	a, err := parseAddress(text)
	switch {
	case err != nil:
		return nil, false, err
	case a.path != "":
		return []string{text}, false, nil
	}
	hosts, err := a.hosts()
	for _, host := range hosts {
		addr, err := netip.ParseAddr(host)
		list = append(list, net.JoinHostPort(host, a.port))
		beyond = beyond || err != nil || !addr.IsLoopback()
	}
	return list, beyond, err
}
