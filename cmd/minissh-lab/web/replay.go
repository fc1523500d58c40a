package web

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"minissh/cmd/minissh-lab/web/listing"
	"minissh/cmd/minissh-lab/web/live"
	"minissh/cmd/minissh-lab/web/record"
	"minissh/cmd/minissh-lab/web/taped"
)

// Replay is a run that a page without a lab shows again.
type Replay struct {
	Mode    string          `json:"mode"`              // lab, live, recorded
	Lang    string          `json:"lang"`              // zh, en: at first
	Theme   string          `json:"theme"`             // light, dark: at first
	View    string          `json:"view"`              // lanes, ladder: at first
	Setting *record.Setting `json:"setting,omitempty"` // lab
	Command string          `json:"command,omitempty"` // live: of the list
	Sides   []*record.Trace `json:"sides,omitempty"`   // lab, live
	Runs    []taped.Run     `json:"runs,omitempty"`    // recorded
}

// ErrReplay is a replay that no lab has made.
var ErrReplay = errors.New("not a run of the lab")

// Check refuses what a page may not be given: a replay comes back from the page, and so from
// anybody. What texts say is left to the page, which shows them as text alone.
func (r *Replay) Check() error {
	sides := r.Sides
	for _, run := range r.Runs {
		for _, c := range run.Connections {
			sides = append(slices.Clip(sides), c.Sides...)
		}
	}
	for _, t := range sides {
		if t == nil || !t.Sound() ||
			r.Mode == "lab" && t.Framing != record.NaivePut &&
				!slices.Contains(record.Framings, t.Framing) {
			return ErrReplay
		}
	}
	_, known := live.Find(r.Command)
	switch {
	case !slices.Contains([]string{"zh", "en"}, r.Lang),
		!slices.Contains([]string{"light", "dark"}, r.Theme),
		!slices.Contains([]string{"lanes", "ladder"}, r.View):
	case r.Mode == "lab" && r.Setting != nil && r.Setting.Check() == nil && len(r.Sides) == 2,
		r.Mode == "live" && known && len(r.Sides) == 2,
		r.Mode == "recorded" && len(r.Runs) > 0 && len(r.Sides) == 0:
		return nil
	}
	return ErrReplay
}

// Write writes the page as one file that asks for nothing: its own script and style are the only
// ones that its policy lets run, by their hashes, and nothing may be fetched.
func (r *Replay) Write(w io.Writer) error {
	data := *r
	commands := []live.Command{}
	if c, ok := live.Find(r.Command); ok {
		commands = append(commands, c)
	}
	listings := []listing.Listing{}
	for _, side := range r.Sides {
		if r.Setting != nil {
			listings = append(listings, listing.For(side, *r.Setting))
		}
	}
	// Marshal escapes <, >, & and the line ends that JavaScript alone knows.
	run, err := json.Marshal(struct {
		*Replay
		Commands []live.Command    `json:"commands"`
		Listings []listing.Listing `json:"listings"`
	}{&data, commands, listings})
	if err != nil {
		return err
	}
	script, err := bundle("app")
	if err != nil {
		return err
	}
	style := ""
	page := read("index.html")
	links := regexp.MustCompile(`<link rel="stylesheet" href="([a-z]+\.css)">\n`)
	for _, l := range links.FindAllStringSubmatch(page, -1) {
		style += read(l[1])
	}
	page = links.ReplaceAllString(page, "")
	policy := fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; "+
		"form-action 'none'", hash(script), hash(style))
	for _, change := range [][2]string{
		{`<meta charset="utf-8">`, `<meta charset="utf-8">` + "\n" +
			`<meta http-equiv="Content-Security-Policy" content="` + policy + `">` + "\n" +
			`<meta name="referrer" content="no-referrer">`},
		{`<link rel="icon" href="icon.svg" type="image/svg+xml">` + "\n", ""},
		{`<script type="module" src="app.js"></script>`, "<style>" + style + "</style>"},
		{"</body>", `<script type="application/json" id="replay">` + string(run) + "</script>\n" +
			"<script>" + script + "</script>\n</body>"},
	} {
		if strings.Count(page, change[0]) != 1 {
			return fmt.Errorf("the page does not hold %s once", change[0])
		}
		page = strings.Replace(page, change[0], change[1], 1)
	}
	_, err = io.WriteString(w, page)
	return err
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// read is a file of the page.
func read(name string) string {
	text, err := static.ReadFile("static/" + name)
	if err != nil {
		panic(err) // the folder is embedded
	}
	return string(text)
}

// How the page's modules import and export; nothing else of it is used.
var (
	importNames = regexp.MustCompile(`(?m)^import \{([^}]+)\} from "\./(\w+)\.js";$`)
	importAll   = regexp.MustCompile(`(?m)^import \* as (\w+) from "\./(\w+)\.js";$`)
	exported    = regexp.MustCompile(
		`(?m)^export ((?:async )?function\*?|class|const|let) ([\w$]+)`)
	leftOver = regexp.MustCompile(`(?m)^(import|export)\b.*`)
)

// bundle is a module with all that it imports, as one script: a page from a file may not import
// others. Each module is a function of its own, called once, after those that it imports.
func bundle(first string) (string, error) {
	var out strings.Builder
	out.WriteString("\"use strict\";\n")
	state := map[string]int{} // 1: under way, 2: done
	var add func(name string) error
	add = func(name string) error {
		switch state[name] {
		case 1:
			return fmt.Errorf("%s.js imports itself by way of others", name)
		case 2:
			return nil
		}
		state[name] = 1
		text := read(name + ".js")
		for _, pattern := range []*regexp.Regexp{importNames, importAll} {
			for _, m := range pattern.FindAllStringSubmatch(text, -1) {
				if err := add(m[2]); err != nil {
					return err
				}
			}
		}
		text = importNames.ReplaceAllStringFunc(text, func(line string) string {
			m := importNames.FindStringSubmatch(line)
			return "const {" + strings.ReplaceAll(m[1], " as ", ": ") + "} = module_" + m[2] + ";"
		})
		text = importAll.ReplaceAllString(text, "const $1 = module_$2;")
		var names []string
		for _, m := range exported.FindAllStringSubmatch(text, -1) {
			names = append(names, m[2])
		}
		text = exported.ReplaceAllString(text, "$1 $2")
		if line := leftOver.FindString(text); line != "" || strings.Contains(text, "</script") {
			return fmt.Errorf("%s.js cannot be put into a page: %s", name, line)
		}
		fmt.Fprintf(&out, "const module_%s = (() => {\n%s\nreturn { %s };\n})();\n", name, text,
			strings.Join(names, ", "))
		state[name] = 2
		return nil
	}
	err := add(first)
	return out.String(), err
}
