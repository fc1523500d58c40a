package nodeset

import (
	"fmt"
	"strconv"
	"strings"
)

// deepest is how many groups may be within one another.
const deepest = 16

// Parse reads an expression: names, of which a part may be several ones (web[1-3,07-09/2]-[a,b]),
// joined by `,` or blanks (both), `!` (the first without the second), `&` (what is in both) and `^`
// (what is in one of them), from the left to the right; @name is a group. group gives the
// expression of one; nil: there are none. Errors are for people.
func Parse(expression string, group func(name string) (string, error)) (*Set, error) {
	return parse(expression, group, 0)
}

func parse(expression string, group func(string) (string, error), depth int) (*Set, error) {
	all, operator := Of(), byte(',')
	rest := strings.TrimLeft(expression, " \t\n")
	for rest != "" {
		end, err := wordEnd(rest)
		if err != nil {
			return nil, err
		}
		word := rest[:end]
		if word == "" {
			return nil, fmt.Errorf("%q: a name is missing before %q", expression, rest)
		}
		found, err := operand(word, group, depth)
		if err != nil {
			return nil, err
		}
		if err := all.join(operator, found); err != nil {
			return nil, err
		}
		rest = strings.TrimLeft(rest[end:], " \t\n")
		if operator = ','; rest != "" && strings.IndexByte(operators, rest[0]) >= 0 {
			operator = rest[0]
			if rest = strings.TrimLeft(rest[1:], " \t\n"); rest == "" {
				return nil, fmt.Errorf("%q: a name is missing after the last %q", expression,
					string(operator))
			}
		}
	}
	return all, nil
}

const operators = ",!&^"

// wordEnd is where the first word ends: at an operator or a blank outside of brackets.
func wordEnd(text string) (int, error) {
	inside := false
	for i, c := range []byte(text) {
		switch {
		case c == '[' && !inside:
			inside = true
		case c == ']' && inside:
			inside = false
		case c == '[' || c == ']':
			return 0, fmt.Errorf("%q: brackets do not fit together", text)
		case !inside && strings.IndexByte(operators+" \t\n", c) >= 0:
			return i, nil
		}
	}
	if inside {
		return 0, fmt.Errorf("%q: a bracket is not closed", text)
	}
	return len(text), nil
}

// operand is what a word stands for.
func operand(word string, group func(string) (string, error), depth int) (*Set, error) {
	name, isGroup := strings.CutPrefix(word, "@")
	switch {
	case !isGroup:
		return expand(word)
	case group == nil:
		return nil, fmt.Errorf("%q: there are no groups here", word)
	case depth >= deepest:
		return nil, fmt.Errorf("%q: more than %d groups within one another, perhaps one in itself",
			word, deepest)
	}
	names, err := expand(name)
	if err != nil {
		return nil, err
	}
	all := Of()
	for _, name := range names.Names() {
		expression, err := group(name)
		if err != nil {
			return nil, err
		}
		members, err := parse(expression, group, depth+1)
		if err == nil {
			err = all.join(',', members)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// join does what an operator says.
func (s *Set) join(operator byte, other *Set) error {
	for name := range other.has {
		switch {
		case operator == ',', operator == '^' && !s.has[name]:
			s.has[name] = true
		case operator == '!', operator == '^':
			delete(s.has, name)
		}
	}
	if operator == '&' {
		for name := range s.has {
			if !other.has[name] {
				delete(s.has, name)
			}
		}
	}
	if len(s.has) > Most {
		return errMany
	}
	return nil
}

var errMany = fmt.Errorf("more than %d names", Most)

// expand is what a word with brackets stands for.
func expand(word string) (*Set, error) {
	all := []string{""}
	for word != "" {
		before, rest, bracket := strings.Cut(word, "[")
		choices := []string{before}
		if bracket {
			list, after, _ := strings.Cut(rest, "]")
			parts, err := choicesOf(list)
			if err != nil {
				return nil, err
			}
			for i := range parts {
				parts[i] = before + parts[i]
			}
			choices, rest = parts, after
		}
		if len(all)*len(choices) > Most {
			return nil, errMany
		}
		longer := make([]string, 0, len(all)*len(choices))
		for _, beginning := range all {
			for _, choice := range choices {
				longer = append(longer, beginning+choice)
			}
		}
		all, word = longer, rest
	}
	return Of(all...), nil
}

// choicesOf are what is between brackets: words, numbers, and ranges of numbers.
func choicesOf(list string) (all []string, err error) {
	for part := range strings.SplitSeq(list, ",") {
		part = strings.TrimSpace(part)
		first, last, isRange := strings.Cut(part, "-")
		switch {
		case part == "":
			return nil, fmt.Errorf("[%s]: something is missing between the brackets", list)
		case !isRange && !strings.Contains(part, "/"):
			all = append(all, part)
			continue
		}
		last, step, stepped := strings.Cut(last, "/")
		by := 1
		if stepped {
			if by, err = strconv.Atoi(step); err != nil || by < 1 {
				return nil, fmt.Errorf("[%s]: the step %q is not a number from 1", list, step)
			}
		}
		low, err1 := strconv.Atoi(first)
		high, err2 := strconv.Atoi(last)
		switch {
		case !isRange || err1 != nil || err2 != nil || low < 0 || high < 0:
			return nil, fmt.Errorf("[%s]: %q is not a range of numbers, such as 1-9", list, part)
		case low > high:
			return nil, fmt.Errorf("[%s]: %q ends before it begins", list, part)
		case len(first) != len(last) && (first[0] == '0' && low > 0 || last[0] == '0'):
			return nil, fmt.Errorf("[%s]: the numbers of %q are filled up with zeros to different "+
				"lengths", list, part)
		case (high-low)/by >= Most-len(all):
			return nil, errMany
		}
		for n := low; n <= high; n += by {
			all = append(all, fmt.Sprintf("%0*d", len(first), n))
		}
	}
	return all, nil
}
