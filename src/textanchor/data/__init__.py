"""Files and tables to items and pairs; leak-free splits; sample sets."""
