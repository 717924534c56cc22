# Ruby's Net::FTP; for its arguments see driver.ts.
require "net/ftp"

host, port, protection, ca_file, mode, user, password, *steps = ARGV
options = { port: Integer(port), passive: mode == "passive", open_timeout: 20, read_timeout: 20 }
options[:ssl] = ca_file == "" ? {} : { ca_file: ca_file } if protection != "clear"
ftp = Net::FTP.new(host, options)
ftp.login(user, password)

steps.each_slice(3) do |operation, remote, other|
  ftp.resume = operation.start_with?("resume")
  case operation
  when "list" then puts ftp.nlst(*(remote == "" ? [] : [remote]))
  when "get", "resumeGet" then ftp.getbinaryfile(remote, other)
  when "put", "resumePut" then ftp.putbinaryfile(other, remote)
  when "rename" then ftp.rename(remote, other)
  when "mkdir" then ftp.mkdir(remote)
  when "rmdir" then ftp.rmdir(remote)
  when "delete" then ftp.delete(remote)
  when "abort"
    begin
      ftp.retrbinary("RETR #{remote}", 1000) do
        ftp.abort
        raise Interrupt
      end
    rescue Interrupt
      ftp.send(:getmultiline) # abort() has read the reply to RETR
    end
  else raise ArgumentError, operation
  end
end
ftp.quit
ftp.close
