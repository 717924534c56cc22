import { testUploadEndings } from "./upload_endings.ts";

testUploadEndings("TLSv1.3");
