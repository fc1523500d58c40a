// Package speak prints what a learner reads: 中文 first, English beside it.
//
//	p := speak.New(os.Stdout, speak.Both)
//	p.Say("已启动", "started")                      // 已启动  /  started
//	p.Sayf("收到 %d 字节", "received %d bytes", n)   // the same arguments for both
//	speak.Clean(text)                              // lines from the peer, safe for a terminal
//	speak.Quote(bytes)                             // one line, in quotes, every odd byte visible
package speak
