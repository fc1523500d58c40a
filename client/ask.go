package client

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"
)

// Asker asks the user. Answers come from the terminal, never from standard input, which is the command's (RULES A4).
type Asker interface {
	Line(question string) (string, error)
	Secret(question string) ([]byte, error)
}

// ErrNobodyToAsk says that there is no terminal.
var ErrNobodyToAsk = errors.New("there is no terminal to ask on")

// Terminal asks on the controlling terminal.
type Terminal struct{}

func openTerminal() (in, out *os.File, err error) {
	if runtime.GOOS == "windows" {
		if in, err = os.OpenFile("CONIN$", os.O_RDWR, 0); err == nil {
			out, err = os.OpenFile("CONOUT$", os.O_RDWR, 0)
		}
	} else {
		in, err = os.OpenFile("/dev/tty", os.O_RDWR, 0)
		out = in
	}
	if err != nil {
		return nil, nil, ErrNobodyToAsk
	}
	return in, out, nil
}

// Line asks for a line of at most 4 KiB.
func (Terminal) Line(question string) (string, error) {
	in, out, err := openTerminal()
	if err != nil {
		return "", err
	}
	defer in.Close()
	defer asking(in)()
	fmt.Fprint(out, question)
	answer, err := bufio.NewReaderSize(in, 4096).ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(answer), "\r\n"), nil
}

// Secret asks without showing what is typed.
func (Terminal) Secret(question string) ([]byte, error) {
	in, out, err := openTerminal()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	defer asking(in)()
	fmt.Fprint(out, question)
	secret, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(out)
	return secret, err
}
