//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"minissh/protocol/keys"
)

// person is an account of the world.
type person struct {
	name string
	uid  uint32
	home string
}

// firstUID is far from those that machines give out: limits count by uid, whatever the namespace.
const firstUID = 54101

var names = []string{"alice", "bob", "mallory", "trudy"}

func people() map[string]*person {
	all := map[string]*person{}
	for i, name := range names {
		all[name] = &person{name: name, uid: firstUID + uint32(i), home: filepath.Join(homes, name)}
	}
	return all
}

// become has a process run as the person.
func (p *person) become() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{
		Uid: p.uid, Gid: p.uid}}
}

// own makes a directory (text nil) or a file that belongs to the person.
func (p *person) own(path string, mode os.FileMode, text []byte) error {
	var err error
	if text == nil {
		err = os.MkdirAll(path, mode)
	} else {
		err = os.WriteFile(path, text, mode)
	}
	return errors.Join(err, os.Chmod(path, mode), os.Chown(path, int(p.uid), int(p.uid)))
}

// writeKey makes a key file and gives its line for authorized_keys.
func (p *person) writeKey(path string) ([]byte, error) {
	key, _, err := keys.HostKey(path)
	if err != nil {
		return nil, err
	}
	return ssh.MarshalAuthorizedKey(key.Public), os.Chown(path, int(p.uid), int(p.uid))
}

// settle makes the accounts, which hide the machine's own, and their homes.
func settle() error {
	all := people()
	passwd := "root:x:0:0:root:/root:/bin/sh\n" +
		"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
	group := "root:x:0:\nnogroup:x:65534:\n"
	shadow := "root:*:19000:0:99999:7:::\nnobody:*:19000:0:99999:7:::\n"
	for _, name := range names {
		p := all[name]
		passwd += fmt.Sprintf("%s:x:%d:%d::%s:/bin/sh\n", name, p.uid, p.uid, p.home)
		group += fmt.Sprintf("%s:x:%d:\n", name, p.uid)
		shadow += fmt.Sprintf("%s:*:19000:0:99999:7:::\n", name)
	}
	// A mount over one file would go when useradd, outside, renames its new one to that name.
	etc := filepath.Join(labDir, "etc")
	if out, err := exec.Command("cp", "-a", "/etc", etc).CombinedOutput(); err != nil {
		return fmt.Errorf("cp -a /etc: %w\n%s", err, out)
	}
	for name, text := range map[string]string{"passwd": passwd, "group": group, "shadow": shadow} {
		// which keeps the mode
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if err := unix.Mount(etc, "/etc", "", unix.MS_BIND, ""); err != nil {
		return &notRun{fmt.Sprintf("needs a mount namespace (/etc: %v)", err)}
	}
	for _, name := range names {
		if err := all[name].settle(); err != nil {
			return err
		}
	}
	return nil
}

// boxKey is mallory's key that may do nothing but copy files, in her folder box.
const boxKey = "id_box"

// settle makes one home. Mallory's own key opens trudy's account too. Whoever may log in is listed
// in keysDir as well, for a daemon that looks there.
func (p *person) settle() error {
	dotSSH := filepath.Join(p.home, ".ssh")
	if err := errors.Join(p.own(p.home, 0o750, nil), p.own(dotSSH, 0o700, nil)); err != nil {
		return err
	}
	lines, err := p.writeKey(filepath.Join(dotSSH, "id_ed25519"))
	if err != nil {
		return err
	}
	switch p.name {
	case "mallory":
		box := filepath.Join(p.home, "box")
		restricted, err := p.writeKey(filepath.Join(dotSSH, boxKey))
		if err := errors.Join(err, p.own(box, 0o755, nil)); err != nil {
			return err
		}
		lines = append(lines, fmt.Sprintf("minissh-files=%q %s", box, restricted)...)
	case "trudy":
		mallorys, err := os.ReadFile(filepath.Join(keysDir, "mallory"))
		if err != nil {
			return err
		}
		lines = append(lines, mallorys...)
	}
	return errors.Join(p.own(filepath.Join(dotSSH, "authorized_keys"), 0o600, lines),
		os.WriteFile(filepath.Join(keysDir, p.name), lines, 0o644))
}

// knows makes the person know the daemon's key under all names that are used here.
func (p *person) knows(host ssh.PublicKey) error {
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host)))
	return p.own(filepath.Join(p.home, ".ssh/known_hosts"), 0o600,
		[]byte(fmt.Sprintf("[%s]:%d %s\n", hostAddress, hostPort, key)))
}
