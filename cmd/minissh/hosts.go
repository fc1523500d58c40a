package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"minissh/client/report"
)

// hosts is `minissh hosts EXPRESSION`: it folds names of hosts, expands or counts them, as
// nodeset(1).
func hosts(o ownFlags) error {
	const advice = "minissh hosts -e 'web[01-20,30]!web07'"
	if len(o.rest) == 0 {
		return &report.Failure{What: "minissh hosts needs names of hosts", Advice: advice}
	}
	var all []string
	for _, word := range o.rest {
		if word == "-" {
			text, err := io.ReadAll(io.LimitReader(os.Stdin, mostHosts+1))
			if err != nil {
				return err
			}
			if len(text) > mostHosts {
				return &report.Failure{What: fmt.Sprintf("standard input has more than %d bytes",
					mostHosts)}
			}
			word = string(text)
		}
		all = append(all, word)
	}
	set, err := expand(strings.Join(all, " "))
	if err != nil {
		return err
	}
	switch {
	case o.has("-c"):
		fmt.Println(set.Len())
	case o.has("-e"):
		fmt.Println(strings.Join(set.Names(), " "))
	default:
		fmt.Println(set.Fold())
	}
	return nil
}

// mostHosts is how long the names on standard input may be, in bytes.
const mostHosts = 16 << 20
