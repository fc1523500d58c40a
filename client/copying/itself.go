package copying

import (
	"path"
	"strings"

	"minissh/protocol/files"
)

// merges says whether an address stands for what is in a folder, which has no name of its own there.
func (a Address) merges() bool {
	return files.Merges(a.Path) || a.Remote() && strings.TrimRight(a.Path, "/") == "~"
}

// there is a path on another machine without what does not matter: it begins with a slash, or in the home directory.
func (a Address) there() string {
	p := a.Path
	if p == "~" || strings.HasPrefix(p, "~/") {
		p = "." + p[1:]
	}
	return path.Clean(p)
}

// itself refuses to copy what is on the target's machine onto or into itself, as far as the names tell. A folder that is copied into itself has no end.
func (p *Plan) itself(source Address) error {
	if !source.Remote() || source.Host != p.Target.Host {
		return nil
	}
	from, to := source.there(), p.Target.there()
	into := from == "." && !path.IsAbs(to) && to != ".." && !strings.HasPrefix(to, "../") || from == "/" && path.IsAbs(to) || strings.HasPrefix(to, from+"/")
	switch {
	case from == to, path.Dir(from) == to && !source.merges():
		return &UsageError{"source and target are the same file", "another name, or another folder, as the target"}
	case p.Recursive && into:
		return &UsageError{"a folder cannot be copied into itself", "a target outside of " + source.Text}
	}
	return nil
}
