package class

import (
	"fmt"
	"html/template"
	"strings"

	"rsc.io/qr"
)

// quietZone is the margin that a QR code needs, in modules.
const quietZone = 4

// QRBlocks is the QR code of a text for a terminal, two modules in a character: always dark on
// light, whatever the terminal's colours are; "" if the text is too long.
func QRBlocks(text string) string {
	c, err := qr.Encode(text, qr.L)
	if err != nil {
		return ""
	}
	var out strings.Builder
	for y := -quietZone; y < c.Size+quietZone; y += 2 {
		out.WriteString("\x1b[30;47m")
		for x := -quietZone; x < c.Size+quietZone; x++ {
			upper, lower := c.Black(x, y), c.Black(x, y+1)
			switch {
			case upper && lower:
				out.WriteString("█")
			case upper:
				out.WriteString("▀")
			case lower:
				out.WriteString("▄")
			default:
				out.WriteString(" ")
			}
		}
		out.WriteString("\x1b[0m\n")
	}
	return out.String()
}

// qrPicture is the QR code of a text as a picture in a page, "" if the text is too long. label is
// what it says to those who do not see it.
func qrPicture(text, label string) template.HTML {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return ""
	}
	size := c.Size + 2*quietZone
	var path strings.Builder
	for y := range c.Size {
		for x := range c.Size {
			if c.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quietZone, y+quietZone)
			}
		}
	}
	return template.HTML(fmt.Sprintf(`<svg class="qr" viewBox="0 0 %d %d" role="img" `+
		`aria-label="%s" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/>`+
		`<path fill="#000" d="%s"/></svg>`, size, size, template.HTMLEscapeString(label), size,
		size, path.String()))
}
