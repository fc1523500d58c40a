//go:build !(linux && pam)

package pam

// Built says whether this program can ask PAM.
const Built = false
