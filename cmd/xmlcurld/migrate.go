package main

import (
	"context"
	"errors"

	"xmlcurld/db"
	"xmlcurld/db/localpg"
)

func migrate(ctx context.Context, i *invocation) (err error) {
	database, err := openDatabase(ctx, i, localpg.Join)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.close()) }()
	return db.Migrate(ctx, database.url, i.log)
}
