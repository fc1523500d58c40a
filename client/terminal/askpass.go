package terminal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"minissh/client/atexit"
	"minissh/protocol"
)

// mostAnswer bounds what a program that asks may answer, in bytes.
const mostAnswer = 4 << 10

// defaultAskpass are the programs that ask if SSH_ASKPASS names none: Debian's and OpenSSH's own.
var defaultAskpass = []string{"/usr/bin/ssh-askpass", "/usr/X11R6/bin/ssh-askpass"}

// askpass is the program that puts a question instead of the terminal, "" for the terminal. It is
// chosen as ssh does (ssh(1), SSH_ASKPASS_REQUIRE): never; always; if there is a display; or, which
// is the default, if there is a display and no terminal.
func askpass(getenv func(string) string, hasTerminal bool) string {
	display := getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""
	use := display && !hasTerminal
	switch strings.ToLower(getenv("SSH_ASKPASS_REQUIRE")) {
	case "force":
		use = true
	case "prefer":
		use = display
	case "never":
		use = false
	}
	if !use || runtime.GOOS == "windows" {
		return ""
	}
	if program := getenv("SSH_ASKPASS"); program != "" {
		return program
	}
	for _, program := range defaultAskpass {
		if _, err := os.Stat(program); err == nil {
			return program
		}
	}
	return defaultAskpass[0] // its absence is told by its name
}

// askProgram lets a program put a question. The answer is the first line that it prints. If the
// program fails (the user has pressed Cancel), the answer is empty, as in ssh.
func askProgram(program, question string) ([]byte, error) {
	cmd := exec.Command(program, question)
	// With SSH_ASKPASS_PROMPT the program would show something else than a field to type into.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "SSH_ASKPASS_PROMPT=")
	})
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	signals, stop := make(chan os.Signal, 4), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer close(stop)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return nil, fmt.Errorf("%w, and the program of SSH_ASKPASS, %s, cannot be started: %v",
			ErrNobodyToAsk, protocol.Quote(program), err)
	}
	defer atexit.Do(func() { cmd.Process.Kill() })()
	go func() {
		select {
		case sig := <-signals:
			atexit.Exit(atexit.Code(sig))
		case <-stop:
		}
	}()
	answer, err := io.ReadAll(io.LimitReader(out, mostAnswer))
	out.Close()
	if ended := cmd.Wait(); err != nil || ended != nil {
		clear(answer)
		return nil, nil
	}
	if end := bytes.IndexAny(answer, "\r\n"); end >= 0 {
		clear(answer[end:])
		answer = answer[:end]
	}
	return answer, nil
}
