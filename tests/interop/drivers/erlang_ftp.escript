#!/usr/bin/env escript
%% Erlang/OTP's ftp application; for its arguments see driver.ts.
-mode(compile).

main([Host, Port, Protection, CaFile, Mode, User, Password | Steps]) ->
    {ok, _} = application:ensure_all_started(ftp),
    {ok, Address} = inet:parse_address(Host),
    Family = case tuple_size(Address) of 4 -> inet; 8 -> inet6 end,
    Common = [{port, list_to_integer(Port)}, {mode, list_to_atom(Mode)}, {ipfamily, Family}, {timeout, 20000}],
    {ok, Ftp} = opened(ftp:open(Host, Common ++ tls(Protection, CaFile))),
    ok = ftp:user(Ftp, User, Password),
    ok = ftp:type(Ftp, binary),
    steps(Ftp, Steps),
    ftp:close(Ftp).

opened({ok, Ftp}) -> {ok, Ftp};
opened({error, Reason}) -> io:format(standard_error, "cannot connect: ~p~n", [Reason]), halt(1).

tls("clear", _) ->
    [];
tls(Protection, CaFile) ->
    Method = case Protection of "explicit" -> ftpes; "implicit" -> ftps end,
    [{tls, [{verify, verify_peer}, {server_name_indication, disable} | trust(CaFile)]},
     {tls_sec_method, Method}].

trust("") ->
    [{cacerts, public_key:cacerts_get()}];
trust(CaFile) ->
    {ok, Pem} = file:read_file(CaFile),
    [{_, Der, _} | _] = public_key:pem_decode(Pem),
    Trusted = public_key:pkix_decode_cert(Der, otp),
    %% ssl refuses every peer that has signed its own certificate, unless told which.
    Verify = fun(Certificate, {bad_cert, selfsigned_peer}, State) when Certificate =:= Trusted -> {valid, State};
                (_, {bad_cert, _} = Reason, _) -> {fail, Reason};
                (_, {extension, _}, State) -> {unknown, State};
                (_, _, State) -> {valid, State}
             end,
    [{cacerts, [Der]}, {verify_fun, {Verify, []}}].

steps(_, []) -> ok;
steps(Ftp, [Operation, Remote, Other | Rest]) ->
    case step(Operation, Ftp, bytes(Remote), bytes(Other), Other) of
        ok -> steps(Ftp, Rest);
        {error, Reason} -> io:format(standard_error, "~s ~ts: ~p~n", [Operation, Remote, Reason]), halt(1)
    end.

%% The application sends names as they are, one byte for each character.
bytes(Text) -> binary_to_list(unicode:characters_to_binary(Text)).

step("list", Ftp, Remote, _, _) ->
    case ftp:nlist(Ftp, Remote) of
        {ok, Names} -> file:write(standard_io, Names);
        Error -> Error
    end;
step("get", Ftp, Remote, _, Local) -> ftp:recv(Ftp, Remote, Local);
step("put", Ftp, Remote, _, Local) -> ftp:send(Ftp, Local, Remote);
step("resumePut", Ftp, Remote, _, Local) ->
    {ok, All} = file:read_file(Local),
    {ok, Listing} = ftp:ls(Ftp, Remote),
    [_, _, _, _, Size | _] = string:lexemes(Listing, " "),
    ftp:append_bin(Ftp, binary:part(All, list_to_integer(Size), byte_size(All) - list_to_integer(Size)), Remote);
step("rename", Ftp, Remote, New, _) -> ftp:rename(Ftp, Remote, New);
step("mkdir", Ftp, Remote, _, _) -> ftp:mkdir(Ftp, Remote);
step("rmdir", Ftp, Remote, _, _) -> ftp:rmdir(Ftp, Remote);
step("delete", Ftp, Remote, _, _) -> ftp:delete(Ftp, Remote).
