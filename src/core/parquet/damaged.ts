import { DatabaseError } from "../errors/database-error.ts";

/** What is wrong with a Parquet file that is being read; the caller adds its name. */
export const damagedParquet = (what: string): DatabaseError =>
  new DatabaseError("parquet.corrupt", { message: `Parquet file is damaged: ${what}`, hint: "restore the file from a backup" });
