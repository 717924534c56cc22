import { testUploadEndings } from "./upload_endings.ts";

testUploadEndings("clear", "TLSv1.2");
