package main

import (
	"strconv"
	"strings"
)

// configuration says which files set what.
func (k *check) configuration(conf *configuration) {
	switch {
	case conf.named == noConf:
		k.say("configuration: no file (--config none)")
	case len(conf.files) == 0:
		k.say("configuration: no file; what is not on the command line is as minisshd --help says")
	}
	for _, file := range conf.files {
		k.say("configuration %s:", shown(file))
		empty := true
		for _, v := range conf.settings {
			if v.file != file {
				continue
			}
			words := []string{v.flag}
			for _, value := range v.values {
				if shown(value) != value {
					value = strconv.QuoteToASCII(value)
				}
				words = append(words, value)
			}
			note := ""
			if v.unused != "" {
				note = " - not used: " + v.unused
			}
			k.say("  line %d: %s%s", v.line, strings.Join(words, " "), note)
			empty = false
		}
		if empty {
			k.say("  sets nothing")
		}
	}
}
