//go:build linux || darwin

package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// GroupNames are the names of an account's groups: those of its Credential, or the account's own
// group if it has none. Groups that /etc/group does not know are looked up with getent(1), like
// accounts (LookupAccount). A group without a name has none here either, as with sshd.
func GroupNames(ctx context.Context, acct Account) ([]string, error) {
	gids := []uint32{acct.GID}
	if acct.Credential != nil {
		for _, gid := range acct.Credential.Groups {
			gids = addGroup(gids, gid)
		}
	}
	names := map[uint32]string{}
	f, err := os.Open(groupFile)
	if err == nil {
		defer f.Close()
		err = scanGroupNames(f, gids, names)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if len(names) < len(gids) && !onlyFiles("group") {
		keys := []string{"group", "--"}
		for _, gid := range gids {
			if names[gid] == "" {
				keys = append(keys, strconv.FormatUint(uint64(gid), 10))
			}
		}
		out, err := getent(ctx, keys...)
		if err != nil && !errors.Is(err, ErrNoAccount) {
			return nil, err
		}
		if err := scanGroupNames(bytes.NewReader(out), gids, names); err != nil {
			return nil, err
		}
	}
	var list []string
	for _, gid := range gids {
		if names[gid] != "" {
			list = append(list, names[gid])
		}
	}
	return list, nil
}

// scanGroupNames notes the names that a group(5) file has for groups. The first of several counts.
func scanGroupNames(r io.Reader, gids []uint32, names map[uint32]string) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		f := strings.Split(scanner.Text(), ":")
		if len(f) != 4 || f[0] == "" || f[0][0] == '#' {
			continue
		}
		gid, err := parseID(f[2])
		if err == nil && names[gid] == "" && slices.Contains(gids, gid) {
			names[gid] = f[0]
		}
	}
	return scanner.Err()
}
