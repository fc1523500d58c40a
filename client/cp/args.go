package cp

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Plan is a command line of cp.
type Plan struct {
	Sources []Address
	Target  Address

	Recursive, Preserve, Resume, Checksum, Sync bool
	JSON, Help                                  bool
	Quiet                                       bool

	On     string // HOSTS, with --on: an address that begins with a colon is on each; "": one host
	Fanout string // hosts at the same time, with --on; "": not given

	Options []string // for the connections: what minissh itself takes before the host
}

// UsageError is a command line that cannot be understood.
type UsageError struct{ Msg, Advice string }

func (e *UsageError) Error() string { return e.Msg }

// Hint is what to type.
func (e *UsageError) Hint() string { return e.Advice }

const example = "minissh cp FILE… host:FOLDER, or minissh cp host:FILE… FOLDER"

// Usage is cp's help.
const Usage = `minissh cp [options] SOURCE… TARGET   copy files; a side may be [user@]host:path

  -r            folders with all that is in them (folder/.: only that), links
                as links
  -p            keep modes and times
  -q            no progress, no messages but errors
  --resume      go on with what an interrupted copy left; skip what is there
  --checksum    --resume, believing no size and time: compare contents
  --fsync       each file is on the disk before it gets its name (slow)
  --on HOSTS    on many hosts, web[01-20] say: what begins with a colon is on
                each; what comes from them goes into folders of their names
  --fanout N    so many hosts at the same time
  --json        one line for each file, and a summary, on standard output
  -P port, -i key, -o Key=Value, -F file, -4, -6, -B, -v, --keylog FILE: as for
                minissh

Paths on the other side begin in the home directory there, which understands
* ? [ in them. ./a:b is a file here. [::1]:path, unix:SOCKET:path and
scp://host:port/path are possible too.
Exit code: 0 when all was copied, 1 when something was not, 255 when the
connection failed or was lost.
`

// Parse reads the command line after the word cp. It looks at the disk only if a number after -p
// may be a port or a file.
func Parse(args []string) (*Plan, error) {
	p := &Plan{}
	var words []string
	ended := false
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case !ended && arg == "--":
			ended = true
		case !ended && strings.HasPrefix(arg, "--"):
			used, err := p.long(arg, args[i+1:])
			if err != nil {
				return nil, err
			}
			i += used
		case !ended && len(arg) > 1 && arg[0] == '-':
			used, err := p.letters(arg[1:], args[i+1:])
			if err != nil {
				return nil, err
			}
			i += used
		default:
			words = append(words, arg)
		}
	}
	if p.Help {
		return p, nil
	}
	return p, p.addresses(words)
}

// isPort says whether a word looks like a port's number.
func isPort(word string) bool {
	n, err := strconv.ParseUint(word, 10, 16)
	return err == nil && n > 0
}

// meantPort is for those who know -p from ssh.
func meantPort(port string) error {
	return &UsageError{fmt.Sprintf("-p keeps modes and times, as with scp, and there is no file "+
		"%s", port), fmt.Sprintf("-P %s names a port; ./%s is a file", port, port)}
}

func (p *Plan) long(arg string, next []string) (used int, err error) {
	name, value, attached := strings.Cut(arg, "=")
	flags := map[string]*bool{
		"--resume": &p.Resume, "--checksum": &p.Checksum, "--fsync": &p.Sync, "--json": &p.JSON,
		"--help": &p.Help, "--quiet": &p.Quiet, "--recursive": &p.Recursive,
	}
	if flag := flags[name]; flag != nil && !attached {
		*flag = true
		if name == "--quiet" {
			p.Options = append(p.Options, "-q")
		}
		return 0, nil
	}
	valued := map[string]*string{"--on": &p.On, "--fanout": &p.Fanout}
	if name != "--keylog" && valued[name] == nil {
		return 0, &UsageError{fmt.Sprintf("cp has no option %q", arg),
			"minissh cp --help lists them"}
	}
	if !attached {
		if len(next) == 0 {
			return 0, &UsageError{name + " needs a value after it", "minissh cp --help"}
		}
		value, used = next[0], 1
	}
	if to := valued[name]; to != nil {
		if *to = value; value == "" {
			return 0, &UsageError{name + " needs a value that is not empty", "minissh cp --help"}
		}
		return used, nil
	}
	p.Options = append(p.Options, name, value)
	return used, nil
}

// letters reads one argument of single letters (-rp, -P22).
func (p *Plan) letters(letters string, next []string) (used int, err error) {
	for i := 0; i < len(letters); i++ {
		switch c := letters[i]; c {
		case 'r', 'R':
			p.Recursive = true
		case 'p':
			p.Preserve = true
			if i == len(letters)-1 && len(next) > 0 && isPort(next[0]) {
				if _, err := os.Lstat(next[0]); err != nil {
					return 0, meantPort(next[0])
				}
			}
		case 'q':
			p.Quiet = true
			p.Options = append(p.Options, "-q")
		case '4', '6', 'v', 'C':
			p.Options = append(p.Options, "-"+string(c))
		case 'B':
			p.Options = append(p.Options, "-o", "BatchMode=yes")
		case '3', 'A', 'O', 's', 'T': // scp's choice of a way, of which there is one here
		case 'h':
			p.Help = true
		case 'P', 'i', 'o', 'F', 'l', 'c', 'J', 'S', 'D', 'X':
			value := letters[i+1:]
			if value == "" {
				if len(next) == 0 {
					return 0, &UsageError{fmt.Sprintf("-%c needs a value after it", c),
						"minissh cp --help"}
				}
				value, used = next[0], 1
			}
			return used, p.valued(c, value)
		default:
			if p.Preserve && isPort(letters[i:]) {
				return 0, meantPort(letters[i:])
			}
			return 0, &UsageError{fmt.Sprintf("cp has no option -%s", string(rune(c))),
				"minissh cp --help lists them"}
		}
	}
	return 0, nil
}

func (p *Plan) valued(c byte, value string) error {
	switch c {
	case 'P':
		p.Options = append(p.Options, "-p", value)
	case 'i', 'o', 'F', 'c', 'J':
		p.Options = append(p.Options, "-"+string(c), value)
	case 'l':
		return &UsageError{"-l, scp's limit of the rate, is not in this version",
			"user@host:path names a user; for a limit, pv -L or rsync --bwlimit"}
	}
	return nil // -S, -D, -X: what programs and servers scp uses
}

func (p *Plan) addresses(words []string) error {
	if len(words) < 2 {
		return &UsageError{"cp needs a source and a target", example}
	}
	remote, port := false, ""
	for i, word := range words {
		if word == "" {
			return &UsageError{"an empty name", example}
		}
		a, itsPort := p.onAddress(word)
		if itsPort != "" {
			if port != "" && port != itsPort {
				return &UsageError{"two ports in one copy are not in this version",
					"put Port into ~/.config/minissh/config, under each Host"}
			}
			port = itsPort
		}
		remote = remote || a.Remote()
		if i == len(words)-1 {
			p.Target = a
		} else {
			p.Sources = append(p.Sources, a)
		}
	}
	if port != "" {
		p.Options = append(p.Options, "-p", port)
	}
	if err := p.checkOn(); err != nil {
		return err
	}
	if !remote {
		return &UsageError{"neither side is on another machine",
			"plain cp copies on this machine; a file on another is host:path"}
	}
	for _, s := range p.Sources {
		if err := p.itself(s); err != nil {
			return err
		}
	}
	p.Resume = p.Resume || p.Checksum
	return nil
}

// IntoFolder says that the target must be a folder: more than one thing goes there, or it is
// written with a slash at its end and no folder is to get its name.
func (p *Plan) IntoFolder() bool {
	return len(p.Sources) > 1 || p.Sources[0].merges() || strings.HasSuffix(p.Target.Path, "/") &&
		!p.Recursive
}

// MakesFolder says that a target which must be a folder is made if it is missing: several sources,
// or what is in a folder, are to be together somewhere. A single file for a missing folder is a
// slip.
func (p *Plan) MakesFolder() bool {
	return len(p.Sources) > 1 || p.Sources[0].merges() && p.Recursive
}

// Groups are the sources that one connection can bring together, in their order.
func (p *Plan) Groups() [][]Address {
	var groups [][]Address
	for _, s := range p.Sources {
		if n := len(groups); n > 0 && groups[n-1][0].Host == s.Host {
			groups[n-1] = append(groups[n-1], s)
			continue
		}
		groups = append(groups, []Address{s})
	}
	return groups
}

// ErrFailed is a copy of which something failed, and was reported.
var ErrFailed = errors.New("not everything was copied")
