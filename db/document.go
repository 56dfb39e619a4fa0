package db

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"xmlcurld/db/table"
)

// Document is one document that is stored as XML.
type Document struct {
	Body   string // empty: none is stored
	Expand bool   // $${name} in Body is for FreeSWITCH to replace
}

// Document returns the document name of section for node.
func (b *Rulebook) Document(ctx context.Context, node, section, name string) (Answer[Document], error) {
	return ask(ctx, b, table.ForDocument.About(node, section, name), func(rows table.Rows) (d Document, err error) {
		for _, of := range commonAndOwn(node) {
			row, err := rows.Row(table.Document, strings.Join([]string{section, name, of}, table.Separator))
			if err != nil {
				return d, err
			}
			if row != nil {
				d = readDocument(row)
			}
		}
		return d, nil
	})
}

func readDocument(row []byte) Document {
	expand, body, _ := strings.Cut(string(row), table.Separator)
	return Document{body, expand == "t"}
}

// Revision tells one version of a document from another. It is empty if none is stored.
func (d Document) Revision() string {
	if d.Body == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(d.Body))
	return fmt.Sprintf("%x %t", sum[:8], d.Expand)
}

// DocumentRevisions returns the revisions of the configuration documents that are stored as XML for node, by name.
func (b *Rulebook) DocumentRevisions(ctx context.Context, node string) (map[string]string, error) {
	a, err := ask(ctx, b, table.ForDocuments.About(node), func(rows table.Rows) (map[string]string, error) {
		revisions, own := make(map[string]string), make(map[string]bool)
		err := rows.Each(table.Document, "configuration"+table.Separator, func(key string, row []byte) error {
			parts := strings.Split(key, table.Separator)
			name, of := parts[1], parts[len(parts)-1]
			if of != node && (of != table.Common || own[name]) {
				return nil
			}
			revisions[name], own[name] = readDocument(row).Revision(), of == node
			return nil
		})
		return revisions, err
	})
	return a.Value, err
}
