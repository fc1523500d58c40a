package options

import (
	"fmt"
	"slices"
	"strings"
)

// asked is a value that is judged when everything has been read.
type asked struct {
	row *keyRow
	v   []string
	at  place
}

// judgement is what becomes of the values that count.
type judgement struct {
	o    *Options
	late []asked  // judged at the end
	told []string // what has no effect
}

// judge does what the table says about a value that counts: nothing, note, tell, or refuse. It
// comes here once for each key.
func (p *judgement) judge(row *keyRow, v []string, at place) {
	switch {
	case row.later:
		p.late = append(p.late, asked{row, v, at})
	case row.asks != nil && !row.asks(v):
	case row.class == Refused:
		p.refuse(row, at, "")
	case row.class == Told:
		p.tell(at.name, row.what)
	case row.class == Harmless && row.what != "":
		p.o.Notes = append(p.o.Notes, at.name+" has no effect ("+row.what+")")
	}
}

// refuse notes what Refuse will report. What a file asks for can be overridden for minissh alone.
func (p *judgement) refuse(row *keyRow, at place, hint string) {
	without := row.name + "=" + row.neutral
	if hint == "" && at.file != "" {
		hint = fmt.Sprintf("-o %s goes on without it; %s %s for this host in "+
			"~/.config/minissh/config does so for good", without, row.name, row.neutral)
	}
	p.unsupported(&UnsupportedError{Option: at.name, What: row.what, Advice: hint})
}

func (p *judgement) unsupported(e *UnsupportedError) {
	if !slices.ContainsFunc(p.o.unsupported, func(have *UnsupportedError) bool {
		return have.Option == e.Option
	}) {
		p.o.unsupported = append(p.o.unsupported, e)
	}
}

// tell notes what one line will say.
func (p *judgement) tell(name, what string) {
	if text := name + " (" + what + ")"; !slices.Contains(p.told, text) {
		p.told = append(p.told, text)
	}
}

// judgeLate judges what depends on other options, and puts what is told into one line.
func (p *judgement) judgeLate() {
	o := p.o
	for _, a := range p.late {
		switch a.row.name {
		case "ProxyUseFdpass":
			if o.ProxyCommand != "" && o.proxyUseFdpass {
				p.refuse(a.row, a.at, "")
			}
		}
	}
	if o.methods != "" && !slices.Contains(strings.Split(o.methods, ","), "publickey") {
		o.NoPubkey = true
	}
	if o.NoPubkey && o.Socket == "" {
		p.unsupported(&UnsupportedError{Msg: "no key may be shown (PubkeyAuthentication no, or " +
			"PreferredAuthentications without publickey), and minissh logs in with keys alone",
			Advice: "-o PubkeyAuthentication=yes -o PreferredAuthentications=publickey allows it"})
	}
	if o.refusal != "" {
		o.unsupported = append([]*UnsupportedError{{Msg: "RefuseConnection: " + shown(o.refusal)}},
			o.unsupported...)
	}
	if len(p.told) > 0 {
		o.Warnings = append(o.Warnings, "without effect in this version: "+strings.Join(p.told,
			"; "))
	}
}
