import { testClient } from "./client_suite.ts";
import { RCLONE } from "./rclone.ts";

testClient(RCLONE);
