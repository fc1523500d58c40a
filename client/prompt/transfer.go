package prompt

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"

	"minissh/client/cp"
	"minissh/client/report"
	"minissh/client/syntax"
	"minissh/client/terminal"
	"minissh/protocol"
)

// plan is what `get` or `put` with these words copies, and where to. As in sftp and ftp, the last
// of several words is the target, if it is a folder where the files go or, of two words, a new
// name there.
func (r *runner) plan(ctx context.Context, args, verb string) (*cp.Plan, error) {
	words, err := fileWords(args)
	if err != nil {
		return nil, err
	}
	if c := operator(args); c != "" {
		return nil, report.Failed(nil, "in a name, "+c+" is in quotes",
			"%s takes names only, and no command can follow it; nothing was copied", verb)
	}
	plan := &cp.Plan{}
	for len(words) > 0 && strings.HasPrefix(words[0], "-") {
		switch words[0] {
		case "-r", "-R":
			plan.Recursive = true
		case "-p":
			plan.Preserve = true
		case "--resume":
			plan.Resume = true
		case "--checksum":
			plan.Checksum = true
		case "--fsync":
			plan.Sync = true
		case "-h", "--help":
			return nil, report.Failed(nil, "help "+verb, "%s copies files", verb)
		case "--":
		default:
			return nil, report.Failed(nil, verb+" -- "+words[0]+" …", "%s has the options -r, -p, "+
				"--resume, --checksum and --fsync, and not %s", verb, terminal.Printable(words[0]))
		}
		end := words[0] == "--"
		if words = words[1:]; end {
			break
		}
	}
	if len(words) == 0 {
		return nil, report.Failed(nil, verb+" FILE… [TARGET]", "%s takes names; with blanks in "+
			"them, in quotes", verb)
	}
	sources, target := words, ""
	if n := len(words) - 1; n > 0 && r.isTarget(ctx, verb, words) {
		sources, target = words[:n], words[n]
	} else if n > 1 && r.nowhere(ctx, words[n]) {
		return nil, report.Failed(nil, "a folder for several files is made by mkdir; nothing was "+
			"copied", "%s is neither here nor there", protocol.Quote(words[n]))
	}
	if verb == "get" {
		plan.Target.Path = "."
		if target != "" {
			plan.Target.Path = fromHome(target)
		}
		for _, word := range sources {
			plan.Sources = append(plan.Sources, cp.Address{Path: r.pathThere(word)})
		}
		return plan, nil
	}
	plan.Target.Path = r.pathThere(target)
	if target == "" {
		plan.Target.Path = r.pathThere("") + "/"
	}
	for _, word := range sources {
		word = fromHome(word)
		found, _ := filepath.Glob(word)
		if _, err := os.Lstat(word); err == nil || len(found) == 0 {
			found = []string{word}
		}
		for _, name := range found {
			plan.Sources = append(plan.Sources, cp.Address{Path: name})
		}
	}
	return plan, nil
}

// operator is the first character of these words that a shell would take for one between commands
// or before a file; "": there is none.
func operator(args string) string {
	for _, c := range syntax.Unquoted(args) {
		if strings.IndexByte(";|&<>", c) >= 0 {
			return string(c)
		}
	}
	return ""
}

// pathThere is a name on the other side, whose relative names are in the current directory there.
func (r *runner) pathThere(word string) string {
	if path.IsAbs(word) || word == "~" || strings.HasPrefix(word, "~/") {
		return word
	}
	dir := string(r.dir)
	if dir == "" {
		dir = string(r.conn.Welcome.Home)
	}
	if word == "" {
		return dir
	}
	return dir + "/" + word
}

// What is under a name.
type kindOfFile int

const (
	nothing kindOfFile = iota
	folder
	other
)

// isTarget says whether the last word is where the files go.
func (r *runner) isTarget(ctx context.Context, verb string, words []string) bool {
	last := words[len(words)-1]
	if strings.HasSuffix(last, "/") {
		return true
	}
	here := kindHere(fromHome(last))
	if verb == "get" {
		return here == folder || here == nothing && len(words) == 2
	}
	switch r.kindThere(ctx, last) {
	case folder:
		return true
	case other:
		return here == nothing && len(words) == 2 // it is replaced
	}
	return len(words) == 2
}

// nowhere says whether neither side has something of that name, as far as can be told: then it was
// meant to be a folder.
func (r *runner) nowhere(ctx context.Context, word string) bool {
	s, _ := r.there(ctx, r.conn.Session.Done())
	return s != nil && !strings.ContainsAny(word, "*?[") && kindHere(fromHome(word)) == nothing &&
		r.kindThere(ctx, word) == nothing
}

func kindHere(name string) kindOfFile {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nothing
	case info.IsDir():
		return folder
	}
	return other
}

// kindThere asks the other side; without a shell there, nobody can tell.
func (r *runner) kindThere(ctx context.Context, word string) kindOfFile {
	if word == "~" || word == "." || word == ".." {
		return folder
	}
	names, _ := r.names(ctx, protocol.KindPath, word)
	for _, name := range names {
		switch name {
		case word + "/":
			return folder
		case word:
			return other
		}
	}
	return nothing
}
