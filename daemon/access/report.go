package access

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"minissh/daemon/authorized"
	"minissh/daemon/process"
)

// AccountReport is about one account that has files, or that was named.
type AccountReport struct {
	Name    string
	UID     uint32
	Refused error // why it may not log in whatever its keys, nil if it may; perhaps with a Hint
	Meant   bool  // the daemon's own, or named in --allow-users: the administrator's to mend
	Files   []FileReport
	Usable  int // lines that could let somebody in now, if Refused is nil
}

// FileReport is about one file.
type FileReport struct {
	Path     string
	Err      error // why it does not count; perhaps with a Hint
	File     *authorized.File
	Problems []authorized.Problem
	Denied   map[int]string // by line: why the policy does not let the key in
}

// Report looks at all accounts that the system lists, and at those that --allow-users names.
// Accounts without any file are left out, unless they were named.
func (a *Accounts) Report(ctx context.Context) ([]AccountReport, error) {
	all, err := process.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	named := a.policy.Load().named()
	names := slices.Clone(named)
	for _, acct := range all {
		if !slices.Contains(names, acct.Name) {
			names = append(names, acct.Name)
		}
	}
	var reports []AccountReport
	for _, name := range names {
		isNamed := slices.Contains(named, name)
		report := AccountReport{Name: name, Meant: name == a.own.Name || isNamed}
		acct, err := process.LookupAccount(ctx, name)
		if err == nil {
			report.UID = acct.UID
			report.Refused = a.judgement(ctx, acct)
			var files []FileReport
			files, err = a.read(ctx, acct)
			for _, file := range files {
				report.add(a.deny(file, acct))
			}
		}
		if err != nil {
			report.Refused = err
		}
		if len(report.Files) > 0 || isNamed {
			reports = append(reports, report)
		}
	}
	return reports, nil
}

// deny notes which keys of a file the policy refuses.
func (a *Accounts) deny(file FileReport, acct process.Account) FileReport {
	if file.Err == nil {
		file.Denied = map[int]string{}
		for _, entry := range file.File.Entries {
			if why := a.policy.Load().refusesKey(acct, entry); why != "" {
				file.Denied[entry.Line] = why
			}
		}
	}
	return file
}

// add adds a file, unless it is missing, or below a home that nobody may enter.
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
