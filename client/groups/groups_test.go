package groups_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minissh/client/groups"
	"minissh/client/nodeset"
	"minissh/protocol/testend"
)

func TestMain(m *testing.M) { testend.Main(m) }

// example is that of ClusterShell's own groups.yaml, in which sources name each other, and one of
// our own.
const example = `
web: 'web[01-03]'
sites: [ '@web', "db1" ]
roles:
    adm: 'example0'
    io: '@racks:rack2,example2'
    compute: '@racks:rack[3-4]'
    all: '@io,@compute'
racks:
    rack1: 'example[0,2]'
    rack2: 'example[4-5]'
    rack3: 'example[32-34]'
    rack4: 'example[34-36]'
    old: '@rack[1,3]'
    rack5:
        - 'example[200-201]'  # a comment
        - 'example245'
cpu:
    hsw: '@roles:compute!@ivy'
    ivy: 'example[32-33]'
loop: {a: '@b', b: '@a'}
`

func read(t *testing.T, text string) (*groups.Groups, error) {
	path := filepath.Join(t.TempDir(), "groups")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return groups.Read(path, func() []string { return []string{"web9", "db9", "a.example"} },
		map[string]func() (string, error){
			"lan": func() (string, error) { return "near1,near2", nil }})
}

func TestGroups(t *testing.T) {
	g, err := read(t, example)
	if err != nil {
		t.Fatal(err)
	}
	for expression, want := range map[string]string{
		"@web":                "web[01-03]",
		"@sites!web02":        "db1,web[01,03]",
		"@roles:all":          "example[2,4-5,32-36]",
		"@roles:compute":      "example[32-36]",
		"@old":                "example[0,2,32-34]",
		"@racks:rack[1-2]":    "example[0,2,4-5]",
		"@rack5":              "example[200-201,245]",
		"@cpu:hsw":            "example[34-36]",
		"@cpu:all":            "example[32-36]",
		"@racks:*":            "example[0,2,4-5,32-36,200-201,245]",
		"@config":             "a.example,db9,web9",
		"@config:web*":        "web9",
		"@lan,@web":           "near[1-2],web[01-03]",
		"root@web01,@cpu:ivy": "example[32-33],root@web01",
	} {
		set, err := nodeset.Parse(expression, g.Expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
		} else if got := set.Fold(); got != want {
			t.Errorf("%s is %s, not %s", expression, got, want)
		}
	}
	for expression, want := range map[string]string{
		"@nobody":        "there is no group \"@nobody\"; there are: @web @sites @roles:adm",
		"@roles:nobody":  "there is no group",
		"@loop:a":        "in itself",
		"@config:nobody": "no Host line",
	} {
		if _, err := nodeset.Parse(expression, g.Expression); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

// What is not a file of groups is refused, whatever it holds; a missing file has no groups.
func TestWhatIsNotGroups(t *testing.T) {
	for name, text := range map[string]string{
		"a list": "- web", "a word": "web", "not YAML": "a: [", "deeper": "a: {b: {c: d}}",
		"deep list": "a: [[b]]", "an alias in itself": "a: &a [*a]",
		"too long": "a: " + strings.Repeat("x", 5<<20),
	} {
		if _, err := read(t, text); err == nil || !strings.Contains(err.Error(), "groups") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "# nothing\n", "{}"} {
		if _, err := read(t, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	g, err := groups.Read(filepath.Join(t.TempDir(), "none"), func() []string { return nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Expression("web"); err == nil {
		t.Error("a group of no file")
	}
	if _, err := groups.Read(t.TempDir(), nil, nil); err == nil {
		t.Error("a directory")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(example, "@all")
	f.Add("a: '@a'", "@a")
	f.Fuzz(func(t *testing.T, text, expression string) {
		path := filepath.Join(t.TempDir(), "groups")
		os.WriteFile(path, []byte(text), 0o600)
		g, err := groups.Read(path, func() []string { return nil }, nil)
		if err == nil {
			nodeset.Parse(expression, g.Expression)
		}
	})
}
