/** Completion of `kubectl-oidc` itself; that of `kubectl oidc` is kubectl's, which asks the program `kubectl_complete-oidc`. */
export const completionScripts = {
  bash: `# bash completion of kubectl-oidc: source <(kubectl-oidc completion bash)
_kubectl_oidc() {
  local line words current prefix directive= replies=()
  # As typed: bash breaks words at = and : too.
  read -ra words <<<"\${COMP_LINE:0:COMP_POINT}"
  [[ "\${COMP_LINE:0:COMP_POINT}" == *[[:space:]] ]] && words+=("")
  current="\${words[\${#words[@]} - 1]}"
  prefix="\${current%"\${current##*[=:]}"}"
  while IFS= read -r line; do
    if [[ "$line" == :[0-9]* ]]; then directive="$line"; else replies+=("\${line%%$'\\t'*}"); fi
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  COMPREPLY=("\${replies[@]#"$prefix"}")
  [[ "$directive" == :0 && \${#COMPREPLY[@]} -eq 0 ]] && compopt -o default 2>/dev/null
  return 0
}
complete -F _kubectl_oidc kubectl-oidc
`,
  zsh: `#compdef kubectl-oidc
# zsh completion of kubectl-oidc: source <(kubectl-oidc completion zsh)
_kubectl_oidc() {
  local -a lines candidates
  local line directive
  lines=("\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  directive="\${lines[-1]}"
  for line in "\${(@)lines[1,-2]}"; do
    if [[ "$line" == *$'\\t'* ]]; then candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}"); else candidates+=("\${line//:/\\\\:}"); fi
  done
  (( \${#candidates} )) && _describe 'kubectl-oidc' candidates
  [[ "$directive" == ":0" ]] && _files
}
(( \${+functions[compdef]} )) && compdef _kubectl_oidc kubectl-oidc
`,
  fish: `# fish completion of kubectl-oidc: kubectl-oidc completion fish | source
function __kubectl_oidc_complete
    set -l words (commandline -opc)
    set -l lines ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)
    for line in $lines
        switch $line
            case ':0'
                __fish_complete_path (commandline -ct)
            case ':*'
            case '*'
                echo $line
        end
    end
end
complete -c kubectl-oidc -f -a '(__kubectl_oidc_complete)'
`,
  powershell: `# PowerShell completion of kubectl-oidc: kubectl-oidc completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName 'kubectl-oidc' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | ForEach-Object { "$_" })
    $program = $words[0]
    $arguments = @($words | Select-Object -Skip 1)
    if ($wordToComplete -eq '') { $arguments += '""' }
    & $program __complete @arguments 2>$null | Where-Object { $_ -notmatch '^:\\d+$' } | ForEach-Object {
        $value, $about = $_ -split "\`t", 2
        if (-not $about) { $about = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $about)
    }
}
`,
} as const satisfies Record<string, string>;
