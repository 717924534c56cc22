# Tcllib's ftp package; for its arguments see driver.ts.
package require ftp

set steps [lassign $argv host port protection ca mode user password]
proc ::ftp::DisplayMsg {handle text {state ""}} { if {$state eq "error"} { puts stderr $text } }
proc check {result} { if {$result != 1} { exit 1 } }
fconfigure stdout -encoding utf-8

set ftp [ftp::Open $host $user $password -port $port -mode $mode -timeout 20]
if {$ftp < 0} { exit 1 }
ftp::Type $ftp binary
foreach {operation remote other} $steps {
  switch $operation {
    list { puts [join [ftp::NList $ftp $remote] \n] }
    get { check [ftp::Get $ftp $remote $other] }
    put { check [ftp::Put $ftp $other $remote] }
    resumeGet { check [ftp::Reget $ftp $remote $other] }
    resumePut {
      set file [open $other rb]
      seek $file [ftp::FileSize $ftp $remote]
      check [ftp::Append $ftp -data [read $file] $remote]
      close $file
    }
    rename { check [ftp::Rename $ftp $remote $other] }
    mkdir { check [ftp::MkDir $ftp $remote] }
    rmdir { check [ftp::RmDir $ftp $remote] }
    delete { check [ftp::Delete $ftp $remote] }
  }
}
ftp::Close $ftp
