class KubectlOidc < Formula
  desc "Log in to Kubernetes with OpenID Connect"
  homepage "https://github.com/kubectl-oidc/kubectl-oidc"
  version "0.1.0"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "https://github.com/kubectl-oidc/kubectl-oidc/releases/download/v0.1.0/kubectl-oidc_0.1.0_darwin_arm64.tar.gz"
      sha256 "1a349b12b50ad5b43740e0952adc33c7805ce06f091074be977624d09ed9d432"
    end
    on_intel do
      url "https://github.com/kubectl-oidc/kubectl-oidc/releases/download/v0.1.0/kubectl-oidc_0.1.0_darwin_amd64.tar.gz"
      sha256 "b4098c4460ef22251d39ad42288a99ff6754c894fe1a4bc8f7b5ae2af5d6c897"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/kubectl-oidc/kubectl-oidc/releases/download/v0.1.0/kubectl-oidc_0.1.0_linux_arm64.tar.gz"
      sha256 "17d46d4991b2edd5e445342a72ba0cb7cf09e4849b5e98c16408ce11e05c7388"
    end
    on_intel do
      url "https://github.com/kubectl-oidc/kubectl-oidc/releases/download/v0.1.0/kubectl-oidc_0.1.0_linux_amd64.tar.gz"
      sha256 "2cc29203eb8483cf10595a15013d5b2e6305a1472b38c933ef0cbaaa27989735"
    end
  end

  def install
    bin.install "kubectl-oidc", "kubectl_complete-oidc"
    man1.install "man/kubectl-oidc.1"
    bash_completion.install "completions/kubectl-oidc.bash" => "kubectl-oidc"
    zsh_completion.install "completions/_kubectl-oidc"
    fish_completion.install "completions/kubectl-oidc.fish"
    prefix.install "LICENSE", "THIRD-PARTY-LICENSES.txt"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/kubectl-oidc version")
    output = shell_output("#{bin}/kubectl-oidc get-token 2>&1", 40)
    assert_match "SETTINGS_INCOMPLETE", output
  end
end
