package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"minissh/cmd/minissh-lab/lesson"
	"minissh/cmd/minissh-lab/paper"
	"minissh/cmd/minissh-lab/speak"
)

// printLessons writes pages to print: of a lesson, of all, or the cheat sheet.
func printLessons(c *cli.Context, s *lesson.Stage, args []string) error {
	const form = "minissh-lab lesson print all -o pages"
	if len(args) == 0 {
		args = []string{"all"}
	}
	if err := stray(args[1:], form); err != nil {
		return err
	}
	name, make := args[0], paper.All
	switch args[0] {
	case "all":
		name = "lessons"
	case "cheatsheet":
		make = paper.Cheatsheet
	default:
		l := lesson.Find(args[0])
		if l == nil {
			q := speak.Quote([]byte(args[0]))
			return usage("没有 "+q+" 这一课", "no lesson "+q, "minissh-lab lesson list")
		}
		name = "lesson-" + l.Name
		make = func(w io.Writer, zh bool) error { return paper.Lesson(w, l, zh) }
	}
	dir := c.String("o")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return pageProblem(dir, err)
	}
	for _, zh := range []bool{true, false} {
		if zh && s.Out.Lang == speak.English || !zh && s.Out.Lang == speak.Chinese {
			continue
		}
		path := filepath.Join(dir, name+"-en.html")
		if zh {
			path = filepath.Join(dir, name+"-zh.html")
		}
		var page bytes.Buffer
		if err := make(&page, zh); err != nil {
			return err
		}
		if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
			return pageProblem(path, err)
		}
		q := speak.Quote([]byte(path))
		s.Sayf("%s：用浏览器打开，打印（A4）", "%s: open it in a browser and print it (A4)", q)
	}
	return nil
}

func pageProblem(path string, err error) error {
	q, text := speak.Quote([]byte(path)), speak.Clean(err.Error())
	return failure("不能写 "+q+"："+text, "cannot write "+q+": "+text,
		"minissh-lab lesson print -o pages")
}
