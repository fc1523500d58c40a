package process

import (
	"io/fs"
	"os"
	"os/user"
)

const rootDir = `C:\`

// CurrentAccount is the account the daemon itself runs as. UID is never 0
// here, since 0 means root elsewhere; the shell is %ComSpec%.
func CurrentAccount() (Account, error) {
	u, err := user.Current()
	if err != nil {
		return Account{}, err
	}
	const none = ^uint32(0)
	return Account{Name: u.Username, UID: none, GID: none, Home: u.HomeDir, Shell: comSpec()}, nil
}

func comSpec() string {
	if s := os.Getenv("ComSpec"); s != "" {
		return s
	}
	return `C:\Windows\System32\cmd.exe`
}

// SystemShell is %ComSpec% /d /s /c "command": /d leaves out the registry's
// AutoRun, and with /s cmd.exe takes off the first and the last quote and
// nothing else, so the command needs no quoting and gets none.
func SystemShell(command string) Spec {
	shell := comSpec()
	return Spec{
		Path: shell, Args: []string{shell, "/d", "/s", "/c", command},
		CommandLine: `"` + shell + `" /d /s /c "` + command + `"`,
	}
}

func usableDir(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

func runnable(file string) error {
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		return fs.ErrPermission
	}
	return err
}

func baseEnvironment(a Account, _ string) []string {
	return append(os.Environ(), "USERNAME="+a.Name)
}
