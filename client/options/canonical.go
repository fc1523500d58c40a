package options

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
)

// canonical is what becomes of a host's name before it is looked for (ssh_config(5),
// CanonicalizeHostname).
type canonical struct {
	mode      string   // "no" (or ""), "yes", "always"
	domains   []string // to complete the name with, in order
	maxDots   int      // a name with more is complete
	strict    bool     // CanonicalizeFallbackLocal no: no domain has it, so nothing is dialled
	permitted []cname  // aliases of the DNS that are followed
}

// cname is one of CanonicalizePermittedCNAMEs: both are lists of patterns.
type cname struct{ source, target string }

// setCNAMEs takes none, or pairs of pattern lists, * for all.
func setCNAMEs(o *Options, v []string) error {
	var rules []cname
	for _, rule := range v {
		source, target, ok := strings.Cut(strings.ToLower(rule), ":")
		switch {
		case rule == "*":
			target = "*"
		case oneOf(rule, "none") && len(v) == 1:
			continue
		case !ok || target == "":
			return fmt.Errorf("%s is not a rule like *.a.example:*.b.example", shown(rule))
		}
		rules = append(rules, cname{source, target})
	}
	o.canonical.permitted = rules
	return nil
}

// write writes the keys as ssh -G does.
func (c *canonical) write(line func(key string, values ...any)) {
	line("canonicalizefallbacklocal", yesOrNo(!c.strict))
	line("canonicalizehostname", trueOrFalse(cmp.Or(c.mode, "no")))
	line("canonicalizemaxdots", c.maxDots)
	line("canonicaldomains", cmp.Or(strings.Join(c.domains, " "), "none"))
	var rules []string
	for _, rule := range c.permitted {
		rules = append(rules, rule.source+":"+rule.target)
	}
	line("canonicalizePermittedcnames", cmp.Or(strings.Join(rules, " "), "none"))
}

func (c *canonical) wanted() bool { return c.mode == "yes" || c.mode == "always" }

// canonicalize is the name that a host's name becomes (ssh.c, resolve_canonicalize and main). A
// name that a proxy looks for stays as it is, unless the mode is always.
func (p *configuration) canonicalize(name string) (string, error) {
	c := &p.o.canonical
	_, notAddress := netip.ParseAddr(name)
	if notAddress == nil || strings.ContainsAny(name, ":%") || strings.Trim(name, ".") == "" ||
		strings.HasPrefix(name, unixPrefix) {
		return name, nil
	}
	direct := (p.o.ProxyCommand == "" || oneOf(p.o.ProxyCommand, "none")) && len(p.o.Jumps) == 0
	if !direct && c.mode != "always" {
		return name, nil
	}
	if err := checkHost(name); err != nil {
		return "", err
	}
	complete, anchored := strings.CutSuffix(name, ".")
	candidates := []string{complete}
	if !anchored {
		candidates = nil
		if strings.Count(name, ".") <= c.maxDots && !oneOf(firstOf(c.domains), "none") {
			for _, domain := range c.domains {
				candidates = append(candidates, name+"."+domain)
			}
		}
	}
	for _, candidate := range candidates {
		if alias, found := p.lookup(candidate + "."); found {
			candidate = c.follow(candidate, alias)
			p.note("the host %s is %s (CanonicalizeHostname)", shown(name), shown(candidate))
			return candidate, nil
		}
	}
	tried := anchored || strings.Count(name, ".") <= c.maxDots
	if c.strict && tried {
		return "", &UsageError{Msg: "Could not resolve host " + shown(name) + " in any of " +
			"CanonicalDomains", Advice: "CanonicalizeFallbackLocal yes looks for the name alone"}
	}
	if len(c.permitted) == 0 {
		return name, nil
	}
	alias, found := p.lookup(name)
	if found {
		return c.follow(name, alias), nil
	}
	return name, nil
}

// lookup asks for a name; without a resolver there is none.
func (p *configuration) lookup(name string) (alias string, found bool) {
	if p.env.Lookup == nil {
		return "", false
	}
	return p.env.Lookup(p.o.AddressFamily, name, len(p.o.canonical.permitted) > 0)
}

// follow is what a name is an alias of, if that may be followed, else the name.
func (c *canonical) follow(name, alias string) string {
	alias = strings.ToLower(strings.TrimSuffix(alias, "."))
	if alias == "" || alias == name || checkHost(alias) != nil {
		return name
	}
	for _, rule := range c.permitted {
		if matchList(name, rule.source) && matchList(alias, rule.target) {
			return alias
		}
	}
	return name
}

func firstOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
