import { testClient } from "./client_suite.ts";
import { drivenBy, realClient } from "./clients.ts";

for (const program of ["escript", "perl", "php", "ruby", "tclsh"]) {
  for (const name of drivenBy(program)) testClient(realClient(name));
}
