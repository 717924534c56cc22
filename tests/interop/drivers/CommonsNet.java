import java.io.*;
import java.nio.file.*;
import java.security.KeyStore;
import java.security.cert.*;
import java.util.*;
import javax.net.ssl.*;
import org.apache.commons.net.ftp.*;

/** Apache Commons Net; for its arguments see driver.ts. */
public class CommonsNet {
  public static void main(String[] args) throws Exception {
    String protection = args[2];
    FTPClient ftp = protection.equals("clear") ? new FTPClient() : secureClient(protection.equals("implicit"), args[3]);
    ftp.setControlEncoding("UTF-8");
    ftp.setDefaultTimeout(20_000);
    ftp.setDataTimeout(java.time.Duration.ofSeconds(20));
    ftp.connect(args[0], Integer.parseInt(args[1]));
    check(FTPReply.isPositiveCompletion(ftp.getReplyCode()), ftp);
    check(ftp.login(args[5], args[6]), ftp);
    if (ftp instanceof FTPSClient ftps) {
      ftps.execPBSZ(0);
      ftps.execPROT("P");
    }
    check(ftp.setFileType(FTP.BINARY_FILE_TYPE), ftp);
    if (args[4].equals("active")) ftp.enterLocalActiveMode();
    else ftp.enterLocalPassiveMode();
    for (int i = 7; i < args.length; i += 3) check(perform(ftp, args[i], args[i + 1], args[i + 2]), ftp);
    ftp.logout();
    ftp.disconnect();
  }

  private static FTPSClient secureClient(boolean implicit, String caFile) throws Exception {
    FTPSClient ftps = new FTPSClient(implicit);
    KeyStore trusted = null;
    if (!caFile.isEmpty()) {
      trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      try (InputStream file = new FileInputStream(caFile)) {
        trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
      }
    }
    TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(trusted);
    ftps.setTrustManager(factory.getTrustManagers()[0]);
    ftps.setEndpointCheckingEnabled(true);
    return ftps;
  }

  private static boolean perform(FTPClient ftp, String operation, String remote, String other) throws Exception {
    switch (operation) {
      case "list":
        String[] names = remote.isEmpty() ? ftp.listNames() : ftp.listNames(remote);
        if (names == null) return false;
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String name : names) out.println(name);
        return true;
      case "get":
        try (OutputStream file = new FileOutputStream(other)) {
          return ftp.retrieveFile(remote, file);
        }
      case "put":
        try (InputStream file = new FileInputStream(other)) {
          return ftp.storeFile(remote, file);
        }
      case "resumeGet":
        ftp.setRestartOffset(new File(other).length());
        try (OutputStream file = new FileOutputStream(other, true)) {
          return ftp.retrieveFile(remote, file);
        }
      case "resumePut":
        long offset = Long.parseLong(ftp.getSize(remote));
        ftp.setRestartOffset(offset);
        try (InputStream file = new FileInputStream(other)) {
          file.skipNBytes(offset);
          return ftp.storeFile(remote, file);
        }
      case "rename":
        return ftp.rename(remote, other);
      case "mkdir":
        return ftp.makeDirectory(remote);
      case "rmdir":
        return ftp.removeDirectory(remote);
      case "delete":
        return ftp.deleteFile(remote);
      case "abort":
        InputStream stream = ftp.retrieveFileStream(remote);
        if (stream == null || stream.read() < 0) return false;
        // 426 to RETR, then 226 to ABOR.
        return ftp.abort() | ftp.completePendingCommand();
      default:
        throw new IllegalArgumentException(operation);
    }
  }

  private static void check(boolean done, FTPClient ftp) throws IOException {
    if (!done) throw new IOException(ftp.getReplyString());
  }
}
