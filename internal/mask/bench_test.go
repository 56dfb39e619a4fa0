package mask_test

import (
	"io/fs"
	"os"
	"testing"
)

func BenchmarkDocument(b *testing.B) {
	m := newMasker(b, "1")
	for _, file := range []string{"boot/04-sofia.conf-external.xml", "call-to-known-number/01-dialplan-public-+27123456789.xml", "boot/25-acl.conf.xml", "call-then-transfer/04-languages-en.xml"} {
		document, err := fs.ReadFile(os.DirFS("../../testdata/documents"), file)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(file, func(b *testing.B) {
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				m.Document(document)
			}
		})
	}
}
