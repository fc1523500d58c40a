package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/text/width"

	"minissh/cmd/minissh-lab/class"
	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/lesson"
	"minissh/cmd/minissh-lab/speak"
	"minissh/protocol/flags"
)

const voteForm = "minissh-lab vote --class 192.168.1.10:8090"

func voteFlags() []cli.Flag {
	return flags.Once(
		langFlag(),
		&cli.StringFlag{Name: "class", Usage: "老师的 `ADDRESS` / the teacher's"},
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "`auto|always|never`"},
	)
}

func voteCommand() *cli.Command {
	return &cli.Command{
		Name:      "vote",
		Usage:     "参加老师发起的预测投票  /  vote on the prediction that the teacher has opened",
		ArgsUsage: "[NUMBER]",
		Description: "投票不记名；结束之前想改，再投一次就行。\n" +
			"A vote is anonymous. Until it is closed, vote again to change yours.",
		Flags:        voteFlags(),
		OnUsageError: usageError,
		Action:       runVote,
	}
}

func runVote(c *cli.Context) error {
	words := c.Args().Slice()
	number := ""
	if len(words) > 0 {
		var err error
		number = words[0]
		if words, err = flagsAfter(c, voteFlags(), words[1:]); err != nil {
			return err
		}
	}
	if err := stray(words, voteForm); err != nil {
		return err
	}
	address := c.String("class")
	if address == "" {
		return usage("老师的地址是什么？", "what is the teacher's address?", voteForm)
	}
	s, err := lessonStage(c)
	if err != nil {
		return err
	}
	name, err := class.Ask(c.Context, address)
	if errors.Is(err, class.ErrNoVote) {
		return failure("现在没有投票", "there is no vote now", voteForm)
	}
	if err != nil {
		return boardProblem(err, address)
	}
	l := lesson.Find(name)
	if l == nil {
		q := speak.QuoteShort([]byte(name), 16)
		return failure("正在投票的是第 "+q+" 课，这个 minissh-lab 里没有这一课",
			"the vote is on lesson "+q+", which this minissh-lab does not have", voteForm)
	}
	l.Pose(s)
	n, err := chosenNumber(number, len(l.Ask.Options))
	if number == "" {
		for who := learner(c, s); err != nil; {
			var typed string
			if typed, err = who.Answer("  > "); err != nil || lesson.Quits(typed) {
				return nil
			}
			n, err = chosenNumber(typed, len(l.Ask.Options))
		}
	}
	if err != nil {
		return err
	}
	if err := class.SendVote(c.Context, address, l.Name, n, classID()); err != nil {
		return boardProblem(err, address)
	}
	s.Sayf("投给了 %d", "you voted for %d", n)
	return nil
}

// chosenNumber is the option that was typed.
func chosenNumber(typed string, options int) (int, error) {
	n, err := strconv.Atoi(width.Narrow.String(strings.TrimSpace(typed)))
	if err != nil || n < 1 || n > options {
		return 0, usage(fmt.Sprintf("输入 1 到 %d", options), fmt.Sprintf("type 1 to %d", options),
			"minissh-lab vote 1 --class …")
	}
	return n, nil
}

// boardProblem says why a board was not reached, or what it said.
func boardProblem(err error, address string) error {
	zh, en, _, _ := dialect.Explain(err)
	return failure("没有发给老师："+zh, "it did not reach the teacher: "+en,
		"minissh-lab class --listen "+speak.Clean(address))
}

// voteWith sends a lesson's prediction to the board as a vote. What comes of it does not stop the
// lesson.
func voteWith(c *cli.Context, s *lesson.Stage, l *lesson.Lesson) {
	address := c.String("class")
	if address == "" {
		return
	}
	s.Predicted = func(option int) {
		err := class.SendVote(c.Context, address, l.Name, option+1, classID())
		switch {
		case err == nil:
			s.Say(lesson.Text{Zh: "（这一票算进去了）", En: "(your vote is counted)"})
		case errors.Is(err, class.ErrNoVote):
			s.Say(lesson.Text{Zh: "（老师现在没有发起投票）", En: "(no vote is open now)"})
		default:
			zh, en, _, _ := dialect.Explain(err)
			s.Say(lesson.Text{Zh: "（投票没有发出去：" + zh + "）",
				En: "(your vote was not sent: " + en + ")"})
		}
	}
}

// classID is the random id that this student has at boards; a new one where none can be kept.
func classID() string {
	p, err := lesson.LoadProgress()
	if err != nil {
		return class.NewID()
	}
	if p.ClassID == "" {
		p.ClassID = class.NewID()
		p.Save() // without a place for it, nothing is kept
	}
	return p.ClassID
}
