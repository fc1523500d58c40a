// Package groups knows which hosts a group has: @web in place of their names. Groups are in the
// user's file, in the form of ClusterShell's groups.yaml (groups.conf(5)); @config are the names on
// Host lines of the configuration.
package groups

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"minissh/protocol"
	"minissh/protocol/wildcard"
)

// mostFile is how long the file may be, in bytes.
const mostFile = 4 << 20

// Groups are the groups of one file, and the hosts of the configuration.
type Groups struct {
	path    string
	sources []source
	hosts   func() []string // on Host lines
	extra   map[string]func() (string, error)
}

// source is a part of the file: groups that name each other without more.
type source struct {
	name   string // "": the file's own top level
	order  []string
	groups map[string]string // expressions
}

// Config is the source with the names on Host lines.
const Config = "config"

// Read reads the file, which may be missing. hosts gives the names on Host lines. extra are groups
// that somebody else knows.
func Read(path string, hosts func() []string, extra map[string]func() (string, error)) (*Groups,
	error) {
	g := &Groups{path: path, hosts: hosts, extra: extra}
	text, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0 {
		return g, nil
	}
	var document yaml.Node
	if err == nil {
		err = yaml.Unmarshal(text, &document)
	}
	if err == nil {
		err = g.read(&document)
	}
	if err != nil {
		return nil, fmt.Errorf("the groups in %s cannot be read: %w", protocol.Quote(path), err)
	}
	return g, nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostFile+1))
	if err == nil && len(text) > mostFile {
		err = fmt.Errorf("it has more than %d MiB", mostFile>>20)
	}
	return text, err
}

// read takes the groups from what the file says: sources with groups, or groups.
func (g *Groups) read(document *yaml.Node) error {
	if len(document.Content) == 0 {
		return nil
	}
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		return errors.New("it does not hold groups, such as web: web[01-20]")
	}
	own := source{groups: map[string]string{}}
	for i := 0; i+1 < len(top.Content); i += 2 {
		name, value := top.Content[i].Value, top.Content[i+1]
		if value.Kind != yaml.MappingNode {
			if err := own.add(name, value); err != nil {
				return err
			}
			continue
		}
		s := source{name: name, groups: map[string]string{}}
		for j := 0; j+1 < len(value.Content); j += 2 {
			if err := s.add(value.Content[j].Value, value.Content[j+1]); err != nil {
				return err
			}
		}
		g.sources = append(g.sources, s)
	}
	g.sources = append([]source{own}, g.sources...)
	return nil
}

// add takes one group: an expression, or a list of them.
func (s *source) add(name string, value *yaml.Node) error {
	var parts []string
	switch value.Kind {
	case yaml.ScalarNode:
		parts = []string{value.Value}
	case yaml.SequenceNode:
		for _, part := range value.Content {
			if part.Kind != yaml.ScalarNode {
				return fmt.Errorf("line %d: the list of group %s holds more than names", part.Line,
					protocol.Quote(name))
			}
			parts = append(parts, part.Value)
		}
	default:
		return fmt.Errorf("line %d: the group %s is neither names nor a list of them", value.Line,
			protocol.Quote(name))
	}
	if s.groups[name] == "" {
		s.order = append(s.order, name)
	}
	s.groups[name] = strings.Join(parts, ",")
	return nil
}

// Expression is what a group stands for, for nodeset.Parse: NAME, or SOURCE:NAME. all and * are all
// hosts of a source.
func (g *Groups) Expression(name string) (string, error) {
	from, group, qualified := strings.Cut(name, ":")
	if known := g.extra[name]; known != nil {
		return known()
	}
	if from == Config {
		return g.configured(group, qualified)
	}
	if !qualified {
		from, group = "", name
	}
	for _, s := range g.sources {
		if qualified && s.name != from {
			continue
		}
		if expression, ok := s.groups[group]; ok {
			return within(s.name, expression), nil
		}
		if (group == "all" || group == "*") && len(s.groups) > 0 {
			var all []string
			for _, name := range s.order {
				all = append(all, within(s.name, s.groups[name]))
			}
			return strings.Join(all, ","), nil
		}
	}
	known := g.Names()
	if len(known) > 8 {
		known = append(known[:8], "…")
	}
	return "", fmt.Errorf("there is no group %s; there are: %s", protocol.Quote("@"+name),
		strings.Join(known, " "))
}

// configured are the names on Host lines, or those of them that a pattern matches.
func (g *Groups) configured(pattern string, given bool) (string, error) {
	names := g.hosts()
	if given {
		names = slices.DeleteFunc(names, func(name string) bool {
			return !wildcard.Match(name, pattern)
		})
	}
	if len(names) == 0 {
		return "", errors.New("no Host line of the configuration names such hosts: those with * " +
			"or ? are patterns")
	}
	return strings.Join(names, ","), nil
}

// within is an expression of a source's, in which groups without a source are of the same.
func within(source, expression string) string {
	if source == "" {
		return expression
	}
	var b strings.Builder
	begins := true // a word may
	for i, c := range []byte(expression) {
		b.WriteByte(c)
		if c == '@' && begins {
			word := expression[i+1:]
			if end := strings.IndexAny(word, ",!&^ \t\n:"); end < 0 || word[end] != ':' {
				b.WriteString(source + ":")
			}
		}
		begins = strings.IndexByte(",!&^ \t\n", c) >= 0
	}
	return b.String()
}

// Names are the groups as they are typed.
func (g *Groups) Names() (names []string) {
	for _, s := range g.sources {
		for _, name := range s.order {
			if s.name != "" {
				name = s.name + ":" + name
			}
			names = append(names, "@"+name)
		}
	}
	for name := range g.extra {
		names = append(names, "@"+name)
	}
	slices.Sort(names[len(names)-len(g.extra):])
	return append(names, "@"+Config)
}
