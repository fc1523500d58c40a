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
	named := a.book.Load().named()
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
			report, err = a.report(ctx, acct, report)
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

// report looks at an account where the first terms hold that let somebody in, or else those that
// hold from no address.
func (a *Accounts) report(ctx context.Context, acct process.Account, blank AccountReport) (
	AccountReport, error) {
	blank.UID = acct.UID
	ways, err := a.ways(acct)
	if err != nil {
		return blank, err
	}
	first := blank
	for i, terms := range ways {
		report := a.reportBy(ctx, acct, terms, blank)
		if report.Refused == nil && report.Usable > 0 {
			return report, nil
		}
		if i == 0 {
			first = report
		}
	}
	return first, nil
}

// reportBy looks at an account where these terms hold.
func (a *Accounts) reportBy(ctx context.Context, acct process.Account, terms *Terms,
	report AccountReport) AccountReport {
	report.Refused = a.judgement(ctx, acct, terms)
	files, err := a.read(ctx, acct, terms)
	for _, file := range files {
		report.add(deny(file, acct, terms))
	}
	if err != nil {
		report.Refused = err
	}
	return report
}

// ReportFor implements Reporter.
func (a *Accounts) ReportFor(ctx context.Context, who *Client) (AccountReport, error) {
	report := AccountReport{Name: who.User, Meant: true}
	acct, err := process.LookupAccount(ctx, who.User)
	if err != nil {
		report.Refused = err
		return report, nil
	}
	report.UID = acct.UID
	terms, err := a.book.Load().Terms(who.login(a.groupsOf(acct, true).get))
	if err != nil {
		return report, err
	}
	return a.reportBy(ctx, acct, terms, report), nil
}

// deny notes which keys of a file the policy refuses.
func deny(file FileReport, acct process.Account, terms *Terms) FileReport {
	if file.Err == nil {
		file.Denied = map[int]string{}
		for _, entry := range file.File.Entries {
			if why := terms.Policy.refusesKey(acct, entry); why != "" {
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
