# Plays the part of Homebrew for one formula: ruby try-formula.rb FORMULA OS CPU
# prints what it would download as JSON; with two folders more (UNPACKED PREFIX) it installs and runs the formula's test.
require "json"
require "fileutils"
require "open3"

FORMULA, OS, CPU, UNPACKED, PREFIX = ARGV


class Folder
  def initialize(path) = @path = path
  def to_s = @path

  def install(*names)
    FileUtils.mkdir_p(@path)
    names.flat_map { |name| name.is_a?(Hash) ? name.to_a : [[name, File.basename(name)]] }.each do |from, to|
      FileUtils.cp(from, File.join(@path, to), preserve: true)
    end
  end
end

class Formula
  class << self
    attr_reader :told, :test_block

    %i[desc homepage version license url sha256].each do |word|
      define_method(word) do |value = nil|
        @told ||= {}
        raise "#{word} is said twice" if value && @told.key?(word)
        @told[word] = value if value
        @told[word]
      end
    end

    def on_macos = OS == "darwin" && yield
    def on_linux = OS == "linux" && yield
    def on_arm = CPU == "arm64" && yield
    def on_intel = CPU == "x64" && yield
    def test(&block) = @test_block = block
  end

  {
    bin: "bin", prefix: ".", man1: "share/man/man1", bash_completion: "etc/bash_completion.d",
    zsh_completion: "share/zsh/site-functions", fish_completion: "share/fish/vendor_completions.d"
  }.each { |word, folder| define_method(word) { Folder.new(File.join(PREFIX, folder)) } }

  def version = self.class.version

  def shell_output(command, expected = 0)
    output, status = Open3.capture2(command)
    raise "#{command}: #{status.exitstatus}, not #{expected}\n#{output}" unless status.exitstatus == expected
    output
  end

  def assert_match(wanted, text)
    raise "#{wanted} is not in: #{text}" unless text.match?(wanted.is_a?(Regexp) ? wanted : Regexp.escape(wanted))
  end
end

load FORMULA
puts JSON.generate(KubectlOidc.told)
exit if UNPACKED.nil?

Dir.chdir(UNPACKED) { KubectlOidc.new.install }
Dir.chdir(PREFIX) { KubectlOidc.new.instance_eval(&KubectlOidc.test_block) }
