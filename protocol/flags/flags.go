// Package flags makes sure that the programs that use urfave/cli never drop a flag in silence. A
// flag that is given twice would lose its first value, and one before the verb would be forgotten:
// both are refused.
package flags

import (
	"flag"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"
)

// Once returns the list with a guard at its end: of the flags before it, only those that take a
// list may be given more than once. Each command needs a list of its own.
func Once(list ...cli.Flag) []cli.Flag { return append(list, &guard{}) }

// Twice says which flag of a list was given twice, "" if none was. It is for an OnUsageError, whose
// error is in the words of package flag.
func Twice(list []cli.Flag) string {
	for _, f := range list {
		if g, ok := f.(*guard); ok && g.twice != "" {
			return g.twice
		}
	}
	return ""
}

// BeforeVerb is the first flag that was given to a program before one of its verbs; "" if there was
// none, or if no verb follows. It is for the program's Before.
func BeforeVerb(c *cli.Context) (name, verb string) {
	given := slices.Sorted(slices.Values(c.LocalFlagNames()))
	if verb = c.Args().First(); len(given) == 0 || c.App.Command(verb) == nil {
		return "", ""
	}
	return Dashed(given[0]), verb
}

// Has says whether a verb has a flag that is typed like this.
func Has(verb *cli.Command, dashed string) bool {
	return slices.ContainsFunc(verb.Flags, func(f cli.Flag) bool {
		return slices.ContainsFunc(f.Names(),
			func(name string) bool { return Dashed(name) == dashed })
	})
}

// Dashed is a flag's name as it is typed.
func Dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// guard is a flag without a name. urfave/cli asks it to add itself to a set of flags when those
// before it are there.
type guard struct{ twice string }

func (*guard) String() string  { return "" }
func (*guard) Names() []string { return nil }
func (*guard) IsSet() bool     { return false }

// Apply wraps each flag's value in one that counts.
func (g *guard) Apply(set *flag.FlagSet) error {
	set.VisitAll(func(f *flag.Flag) {
		if _, list := f.Value.(cli.Serializer); !list {
			f.Value = &onceValue{Value: f.Value, name: f.Name, guard: g}
		}
	})
	return nil
}

// onceValue is a flag's value that can be set once.
type onceValue struct {
	flag.Value
	name  string
	guard *guard
	set   bool
}

func (v *onceValue) Set(text string) error {
	if v.set {
		v.guard.twice = Dashed(v.name)
		return fmt.Errorf("%s is given twice", Dashed(v.name))
	}
	v.set = true
	return v.Value.Set(text)
}

// Get is the flag's value, as flag.Getter wants it.
func (v *onceValue) Get() any {
	if getter, ok := v.Value.(flag.Getter); ok {
		return getter.Get()
	}
	return v.Value.String()
}

// IsBoolFlag says whether the flag needs no value, as package flag asks.
func (v *onceValue) IsBoolFlag() bool {
	b, ok := v.Value.(interface{ IsBoolFlag() bool })
	return ok && b.IsBoolFlag()
}
