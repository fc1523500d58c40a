package knownhosts

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"
	"unicode"

	"minissh/protocol/wildcard"
)

const defaultPort = 22 // ssh's: names on it are written without a port

// Name is how known_hosts writes a host on a port: `host`, or `[host]:port` for any port but 22; in
// lower case, addresses in their shortest form. A name that would mean something else there (a
// pattern, a list, a second field) is an error.
func Name(host string, port int) (string, error) {
	host, err := plainName(host)
	if err != nil || port == defaultPort {
		return host, err
	}
	return fmt.Sprintf("[%s]:%d", host, port), nil
}

func plainName(host string) (string, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.String()
	}
	bad := func(r rune) bool {
		return strings.ContainsRune(`,*?!|#@[]"\`, r) || unicode.IsSpace(r) ||
			!unicode.IsPrint(r) || r == unicode.ReplacementChar
	}
	if host == "" || len(host) > 1025 || strings.IndexFunc(host, bad) >= 0 { // 1025: NI_MAXHOST
		return "", fmt.Errorf("%q cannot be the name of a host", host)
	}
	return strings.ToLower(host), nil // zones too, which ssh lower-cases as well
}

// matches says whether an entry's names include a name, by ssh's match_hostname: patterns with *
// and ?, and a pattern that begins with ! refuses what it matches, wherever it is in the list.
func (e *entry) matches(name string) bool {
	if e.names[0] == '|' {
		salt, sum, _ := decodeHash(e.names)
		return hmac.Equal(hashName(name, salt), sum)
	}
	return wildcard.List([]string{name}, strings.Split(strings.ToLower(e.names), ","))
}

// decodeHash takes `|1|salt|hash` apart.
func decodeHash(s string) (salt, sum []byte, ok bool) {
	rest, ok := strings.CutPrefix(s, "|1|")
	if !ok {
		return nil, nil, false
	}
	first, second, ok := strings.Cut(rest, "|")
	if !ok {
		return nil, nil, false
	}
	salt, err := base64.StdEncoding.DecodeString(first)
	if err != nil || len(salt) != sha1.Size {
		return nil, nil, false
	}
	sum, err = base64.StdEncoding.DecodeString(second)
	return salt, sum, err == nil && len(sum) == sha1.Size
}

func hashName(name string, salt []byte) []byte {
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(name))
	return mac.Sum(nil)
}

// encodeHash hides a name, as `ssh-keygen -H` does.
func encodeHash(name string) string {
	salt := make([]byte, sha1.Size)
	rand.Read(salt) // never fails (crypto/rand)
	encode := base64.StdEncoding.EncodeToString
	return "|1|" + encode(salt) + "|" + encode(hashName(name, salt))
}
