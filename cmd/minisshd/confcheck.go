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
		empty, section := true, 0
		for _, v := range conf.settings {
			if v.file != file {
				continue
			}
			k.sections(conf, file, &section, v.section)
			words := []string{v.flag}
			for _, value := range v.values {
				if shown(value) != value {
					value = strconv.QuoteToASCII(value)
				}
				if isYes(v.flag) {
					value = map[string]string{"true": "yes", "false": "no"}[value]
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
		k.sections(conf, file, &section, len(conf.sections))
		if empty && section == 0 {
			k.say("  sets nothing")
		}
	}
}

// sections says which Match lines of a file come before what is in one of its sections.
func (k *check) sections(conf *configuration, file string, at *int, upTo int) {
	for i := *at; i < upTo; i++ {
		s := conf.sections[i]
		if s.file != file {
			continue
		}
		note := ""
		if s.line.Never() {
			note = " - holds for nobody: one of its lists has only patterns with ! before them"
		}
		k.say("  line %d: Match %s%s", s.setting.line, strings.Join(shownAll(s.args), " "), note)
		*at = i + 1
	}
}
