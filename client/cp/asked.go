package cp

import (
	"path"
	"strings"

	"minissh/protocol/files"
)

// Asked is a test for what comes from another machine: whether a name belongs to one of these
// sources. top is its first part, and below says that there are more. A daemon that sends .bashrc
// to somebody who asked for report.pdf is refused, though .bashrc would be in the target folder
// (CVE-2019-6111 was that of scp).
func (p *Plan) Asked(sources []Address) func(top string, below bool, kind files.Kind) bool {
	var bases []string
	for _, s := range sources {
		if s.merges() {
			// what is in a folder can have any name
			return func(string, bool, files.Kind) bool { return p.Recursive }
		}
		base := path.Base(path.Clean(s.Path))
		bases = append(bases, base, base[strings.LastIndexByte(base, '\\')+1:])
	}
	return func(top string, below bool, kind files.Kind) bool {
		if !below && kind == files.KindLink || !p.Recursive && (below || kind == files.KindDir) {
			return false // a source that is a link is followed
		}
		for _, base := range bases {
			if base == top {
				return true
			}
			if match, err := path.Match(base, top); err == nil && match &&
				(top[0] != '.' || base[0] == '.') {
				return true
			}
		}
		return false
	}
}
