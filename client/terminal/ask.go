package terminal

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/term"

	"minissh/client/atexit"
)

// Asker asks the user. Answers come from the terminal, or from a program that asks (SSH_ASKPASS),
// never from standard input, which is the command's (RULES A4).
type Asker interface {
	Line(question string) (string, error)
	Secret(question string) ([]byte, error)
}

// ErrNobodyToAsk says that there is no terminal.
var ErrNobodyToAsk = errors.New("there is no terminal to ask on")

// Questions asks on the controlling terminal, or lets the program of SSH_ASKPASS ask.
type Questions struct{}

// Line asks for a line of at most 4 KiB.
func (Questions) Line(question string) (answer string, err error) {
	told, err := put(question, func(in, _ *os.File) error {
		line, err := bufio.NewReaderSize(in, 4096).ReadSlice('\n')
		if err == nil {
			answer = strings.TrimRight(string(line), "\r\n")
		}
		return err
	})
	return answer + string(told), err
}

// Secret asks without showing what is typed.
func (Questions) Secret(question string) (secret []byte, err error) {
	told, err := put(question, func(in, out *os.File) (err error) {
		secret, err = term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(out)
		return err
	})
	return append(secret, told...), err
}

// put puts a question on the terminal, where read takes the answer, or lets a program put it and
// returns what it was told.
func put(question string, read func(in, out *os.File) error) (told []byte, err error) {
	if program := askpass(os.Getenv, true); program != "" {
		return askProgram(program, question)
	}
	err = ask(question, read)
	if program := askpass(os.Getenv, false); program != "" && errors.Is(err, ErrNobodyToAsk) {
		return askProgram(program, question)
	}
	return nil, err
}

// ask puts a question and lets read take the answer. Nothing else can interrupt it, so meanwhile a
// signal ends this process at once. What was switched off on the terminal is switched on again.
func ask(question string, read func(in, out *os.File) error) error {
	in, out, err := controlling()
	if err != nil {
		return ErrNobodyToAsk
	}
	defer in.Close()
	signals, stop := make(chan os.Signal, 4), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer close(stop)
	defer signal.Stop(signals)
	if state, err := term.GetState(int(in.Fd())); err == nil {
		defer atexit.Do(func() { term.Restore(int(in.Fd()), state) })()
	}
	go func() {
		select {
		case sig := <-signals:
			atexit.Exit(atexit.Code(sig))
		case <-stop:
		}
	}()
	fmt.Fprint(out, question)
	return read(in, out)
}

// controlling opens the controlling terminal.
func controlling() (in, out *os.File, err error) {
	if runtime.GOOS != "windows" {
		in, err = os.OpenFile("/dev/tty", os.O_RDWR, 0)
		return in, in, err
	}
	if in, err = os.OpenFile("CONIN$", os.O_RDWR, 0); err == nil {
		out, err = os.OpenFile("CONOUT$", os.O_RDWR, 0)
	}
	return in, out, err
}
