package conftree

import "strings"

// doctype reads a document type, and the entities it declares. FreeSWITCH knows default attributes and parameter entities, too,
// which nobody uses.
func (p *parser) doctype(i int) (next int, err error) {
	end, err := p.find(i, ">")
	if err != nil {
		return 0, err
	}
	subset := p.until(i, "[>")
	if subset == end {
		p.pass(end)
		return end + 1, nil
	}
	for end = subset; ; {
		if end, err = p.find(end+1, "]"); err != nil {
			return 0, err
		}
		closing := p.skip(end+1, blanks)
		if closing == len(p.text) {
			return 0, errMore
		}
		if p.text[closing] == '>' {
			p.pass(closing)
			return closing + 1, p.declare(i, string(p.text[subset+1:end]))
		}
	}
}

// declare reads the declarations of a document type.
func (p *parser) declare(offset int, declarations string) error {
	for {
		i := strings.IndexAny(declarations, "<%")
		if i < 0 {
			return nil
		}
		declarations = declarations[i:]
		closing := ">"
		if strings.HasPrefix(declarations, "<!--") {
			closing = "-->"
		}
		end := strings.Index(declarations, closing)
		if declarations[0] == '%' || strings.HasPrefix(declarations, "<!ATTLIST") || end < 0 {
			return p.fail(offset, "the document type is not read: it declares more than entities")
		}
		if entity, ok := strings.CutPrefix(declarations, "<!ENTITY"); ok {
			used, err := p.entity(offset, entity)
			if err != nil {
				return err
			}
			end = max(end, len("<!ENTITY")+used)
		}
		declarations = declarations[end:]
	}
}

// entity reads the declaration of an entity, and returns how long it is. One that is outside of the file is passed over.
func (p *parser) entity(offset int, declaration string) (used int, err error) {
	text := strings.TrimLeft(declaration, blanks)
	if strings.HasPrefix(text, "%") {
		return 0, p.fail(offset, "the document type is not read: it declares a parameter entity")
	}
	end := strings.IndexAny(text, blanks)
	if end < 0 {
		return 0, nil
	}
	name, text := text[:end], strings.TrimLeft(text[end:], blanks)
	if text == "" || text[0] != '"' && text[0] != '\'' {
		return 0, nil
	}
	closing := strings.IndexByte(text[1:], text[0])
	if closing < 0 {
		return 0, p.fail(offset, "the entity %s is never closed", name)
	}
	value := decode(text[1:1+closing], content, p.entities)
	if len(value) > maxEntity {
		return 0, p.fail(offset, "the entity %s is longer than %d bytes", name, maxEntity)
	}
	if p.entities == nil {
		p.entities = map[string]string{}
	}
	if _, known := p.entities[name]; !known {
		p.entities[name] = value
	}
	return len(declaration) - len(text) + closing + 2, nil
}
