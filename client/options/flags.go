package options

import (
	"os"
	"strings"
)

// What single letters do beyond setting a key (ssh.c's main).

// addIdentity is -i. A missing file is left out with a warning, as in ssh.
func (p *commandLine) addIdentity(arg string) error {
	path, err := p.env.expandHome(arg)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		if pathErr, ok := err.(*os.PathError); ok {
			err = pathErr.Err
		}
		p.o.Warnings = append(p.o.Warnings, "identity file "+shown(arg)+" is left out: "+
			err.Error())
		return nil
	}
	return p.setKey("IdentityFile", arg, place{name: "-i", flag: true})
}

// setKeyLog is --keylog. Neither a configuration file nor the environment can ask for it (RULES
// A13).
func (p *commandLine) setKeyLog(arg string) error {
	path, err := p.env.expandHome(arg)
	if err != nil {
		return usage("minissh --keylog FILE host command", "--keylog: %v", err)
	}
	if path == "" {
		return usage("minissh --keylog FILE host command", "--keylog needs the name of a file")
	}
	p.o.KeyLog = path
	return nil
}

// setSession is -N, -s and -W, which exclude each other.
func (p *commandLine) setSession(t SessionType, flag string) error {
	if p.seen["sessiontype"] && p.o.SessionType != t {
		return usage("", "%s does not go together with -N, -s or SessionType", flag)
	}
	p.seen["sessiontype"] = true
	p.o.SessionType = t
	if t == SessionNone {
		p.setTTY(TTYNo)
	}
	return nil
}

// setTTY is -t, -tt and -T: the last letter wins, and letters win over keys.
func (p *commandLine) setTTY(t TTY) {
	p.seen["requesttty"] = true
	p.o.RequestTTY = t
}

// setFamily is -4 and -6: the last letter wins, and letters win over keys.
func (p *commandLine) setFamily(family string) {
	p.seen["addressfamily"] = true
	p.o.AddressFamily = family
}

func (p *commandLine) setLevel(l LogLevel) {
	p.seen["loglevel"] = true
	p.o.LogLevel = l
}

// quiet is -q.
func (p *commandLine) quiet() {
	p.o.loudness = "-q"
	p.setLevel(LevelQuiet)
}

// louder is -v: the first one overrides anything said before, each further one adds a level.
func (p *commandLine) louder() {
	switch {
	case !p.levelByV:
		p.levelByV, p.o.loudness = true, "-v"
		p.setLevel(LevelDebug1)
	case p.o.LogLevel < LevelDebug3:
		p.o.loudness = "-" + strings.Repeat("v", int(p.o.LogLevel-LevelDebug1)+2)
		p.setLevel(p.o.LogLevel + 1)
	}
}

// suggestion is the hint for an unknown key: the nearest known one, if it is near.
func suggestion(key string) string {
	if best := nearest(key); best != "" {
		return "-o " + best + "=…"
	}
	return helpHint
}

// nearest is the key that a mistyped one probably means, "" if none is near.
func nearest(key string) string {
	key = strings.ToLower(key)
	best, distance := "", 3
	for _, row := range keyList() {
		if d := editDistance(key, strings.ToLower(row.Name), 3); d < distance || d < 3 &&
			d == distance && row.Name < best {
			best, distance = row.Name, d
		}
	}
	return best
}

// editDistance is Levenshtein's distance of a and b, or limit if it is at least that.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 0; i < len(a); i++ {
		corner := row[0]
		row[0] = i + 1
		for j := 0; j < len(b); j++ {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, corner+1)
		}
	}
	return min(row[len(b)], limit)
}
