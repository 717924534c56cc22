import { assertEquals } from "@std/assert";
import { SERVE_OPTIONS } from "../../lib/cli/option_table.ts";
import { codeSpans, prose, readPage, tableRows } from "./pages.ts";

/** Directives of vsftpd.conf(5), vsftpd 3.0.3. */
const VSFTPD_DIRECTIVES = `
  allow_anon_ssl anon_mkdir_write_enable anon_other_write_enable anon_upload_enable anon_world_readable_only
  anonymous_enable ascii_download_enable ascii_upload_enable async_abor_enable background check_shell
  chmod_enable chown_uploads chroot_list_enable chroot_local_user connect_from_port_20 debug_ssl
  delete_failed_uploads deny_email_enable dirlist_enable dirmessage_enable download_enable dual_log_enable
  force_dot_files force_anon_data_ssl force_anon_logins_ssl force_local_data_ssl force_local_logins_ssl
  guest_enable hide_ids implicit_ssl listen listen_ipv6 local_enable lock_upload_files log_ftp_protocol
  ls_recurse_enable mdtm_write no_anon_password no_log_lock one_process_model passwd_chroot_enable
  pasv_addr_resolve pasv_enable pasv_promiscuous port_enable port_promiscuous require_cert require_ssl_reuse
  run_as_launching_user secure_email_list_enable session_support setproctitle_enable ssl_enable
  ssl_request_cert ssl_sslv2 ssl_sslv3 ssl_tlsv1 strict_ssl_read_eof strict_ssl_write_shutdown syslog_enable
  tcp_wrappers text_userdb_names tilde_user_enable use_localtime use_sendfile userlist_deny userlist_enable
  validate_cert virtual_use_local_privs write_enable xferlog_enable xferlog_std_format accept_timeout
  anon_max_rate anon_umask chown_upload_mode connect_timeout data_connection_timeout delay_failed_login
  delay_successful_login file_open_mode ftp_data_port idle_session_timeout listen_port local_max_rate
  local_umask max_clients max_login_fails max_per_ip pasv_max_port pasv_min_port trans_chunk_size anon_root
  banned_email_file banner_file ca_certs_file chown_username chroot_list_file cmds_allowed cmds_denied
  deny_file download_file dsa_cert_file dsa_private_key_file email_password_file ftp_username ftpd_banner
  guest_username hide_file listen_address listen_address6 local_root message_file nopriv_user pam_service_name
  pasv_address rsa_cert_file rsa_private_key_file secure_chroot_dir ssl_ciphers upload_file user_config_dir
  user_sub_token userlist_file vsftpd_log_file xferlog_file
`;

/** Options of `python3 -m pyftpdlib`, pyftpdlib 2.2. */
const PYFTPDLIB_OPTIONS = `
  -i --interface -p --port -w --write -d --directory -n --nat-address -r --range -D --debug -u --username -P --password
  --concurrency --tls --keyfile --certfile --tls-control-required --tls-data-required --timeout --banner
  --permit-foreign-addresses --permit-privileged-ports --encoding --use-localtime --disable-sendfile --max-cons
  --max-cons-per-ip --max-login-attempts
`;

/** Names that the reference of pyftpdlib 2.2 tells programs to use. */
const PYFTPDLIB_NAMES = `
  FTPServer max_cons max_cons_per_ip serve_forever close close_all address ThreadedFTPServer MultiprocessFTPServer
  DummyAuthorizer add_user add_anonymous override_perm validate_authentication impersonate_user
  terminate_impersonation remove_user has_user has_perm get_perms get_home_dir get_msg_login get_msg_quit
  UnixAuthorizer WindowsAuthorizer override_user AuthenticationFailed AuthorizerError
  FTPHandler timeout banner max_login_attempts permit_foreign_addresses permit_privileged_ports masquerade_address
  masquerade_address_map passive_ports use_gmt_times tcp_no_delay use_sendfile encoding unicode_errors
  auth_failed_timeout authorizer abstracted_fs active_dtp passive_dtp dtp_handler proto_cmds log_prefix log_cmds_list
  on_connect on_disconnect on_login on_login_failed on_logout on_file_sent on_file_received on_incomplete_file_sent
  on_incomplete_file_received
  TLS_FTPHandler certfile keyfile ssl_protocol ssl_options ssl_context tls_control_required tls_data_required
  DTPHandler ac_in_buffer_size ac_out_buffer_size ThrottledDTPHandler read_limit write_limit auto_sized_buffers
  AbstractedFS FilesystemError UnixFilesystem root cwd ftpnorm ftp2fs fs2ftp validpath open mkdir chdir rmdir remove
  rename chmod utime stat lstat readlink isfile islink isdir getsize getmtime realpath lexists mkstemp listdir
  format_list format_mlsx get_user_by_uid get_group_by_gid
`;

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

Deno.test("docs/from-vsftpd.md has every directive in a table, once", () => {
  const sections = ["Listening, limits, timeouts", "Users", "Anonymous users", "TLS", "Data connections"];
  const page = readPage("docs/from-vsftpd.md");
  const shown = [...sections, "Listings, messages, logs"]
    .flatMap((section) => tableRows(page, section)).flatMap(([first = ""]) => codeSpans(first)).sort();
  assertEquals(shown, words(VSFTPD_DIRECTIVES).sort());
});

Deno.test("docs/from-pyftpdlib.md has every option of pyftpdlib, and options of ours that exist", () => {
  const rows = tableRows(readPage("docs/from-pyftpdlib.md"), "Command line").slice(1);
  const theirs = rows.flatMap(([first = ""]) => codeSpans(first));
  assertEquals(theirs.sort(), words(PYFTPDLIB_OPTIONS).sort());
  const known = SERVE_OPTIONS.flatMap((
    { name, letter },
  ) => [`--${name}`, ...letter === undefined ? [] : [`-${letter}`]]);
  const ours = rows.flatMap(([, ...cells]) => cells.flatMap(codeSpans)).flatMap((code) => code.split(" "));
  assertEquals(ours.filter((word) => word.startsWith("-") && !known.includes(word)), []);
});

Deno.test("docs/from-pyftpdlib.md has every name that pyftpdlib tells programs to use", () => {
  const code = codeSpans(prose(readPage("docs/from-pyftpdlib.md"))).join("\n");
  const named = new Set(code.match(/[A-Za-z_]\w*/g));
  assertEquals(words(PYFTPDLIB_NAMES).filter((name) => !named.has(name)), []);
});
