package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

func usage() string {
	var b strings.Builder
	b.WriteString("xmlcurld answers FreeSWITCH's mod_xml_curl from Postgres.\n\nusage: xmlcurld VERB [flags]\n\n")
	for _, v := range verbs {
		fmt.Fprintf(&b, "  %-12s %s\n", v.name, v.about)
	}
	b.WriteString("\nxmlcurld VERB --help lists the flags.\n")
	return b.String()
}

func (v verb) usage(flags *pflag.FlagSet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: xmlcurld %s [flags] %s\n\n%s.\n\n%s", v.name, v.operands, v.about, flags.FlagUsages())
	b.WriteString("\nEach setting may also stand in the environment (--data-dir is XMLCURLD_DATA_DIR) and in the file of\n" +
		"--config (data_dir: …). A flag wins over the environment, the environment over the file. What is secret has no\n" +
		"place on the command line: XMLCURLD_DATABASE_URL_FILE and XMLCURLD_CREDENTIALS_FILE name files that hold it.\n")
	return b.String()
}
